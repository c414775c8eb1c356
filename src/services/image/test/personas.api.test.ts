import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, type TestCloud, testCloud } from '../../../../test/cloud.ts'

const patchType = { headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' } }
const bytes = Buffer.from('bytes')

type World = TestCloud & { id: string }
type Verb = { name: string; run(client: Client, world: World): Promise<{ status: number }> }

/** An active image of the member's project, shared with the stranger, who has not answered. */
async function withImage(cloud: TestCloud, visibility = 'shared'): Promise<World> {
  const made = { disk_format: 'raw', container_format: 'bare', visibility, tags: ['old'] }
  const owner = visibility === 'public' ? cloud.admin : cloud.member
  const { id } = (await owner.image.post('/images', { ...made, owner: cloud.member.caller.projectId })).body
  await cloud.member.image.put(`/images/${id}/file`, bytes)
  if (visibility === 'shared') await cloud.member.image.post(`/images/${id}/members`, { member: cloud.stranger.caller.projectId })
  return { ...cloud, id }
}

const replace = (path: string, value: unknown) => [{ op: 'replace', path, value }]
const patched =
  (path: string, value: unknown) =>
  (client: Client, { id }: World) =>
    client.image.patch(`/images/${id}`, replace(path, value), patchType)

const verbs: Verb[] = [
  { name: 'list', run: (client) => client.image.get('/images') },
  { name: 'show', run: (client, { id }) => client.image.get(`/images/${id}`) },
  { name: 'download', run: (client, { id }) => client.image.get(`/images/${id}/file`) },
  { name: 'rename', run: patched('/name', 'new') },
  { name: 'hide', run: patched('/os_hidden', true) },
  { name: 'publicize', run: patched('/visibility', 'public') },
  { name: 'communitize', run: patched('/visibility', 'community') },
  { name: 'give away', run: patched('/owner', 'f'.repeat(32)) },
  { name: 'tag', run: (client, { id }) => client.image.put(`/images/${id}/tags/new`) },
  { name: 'untag', run: (client, { id }) => client.image.delete(`/images/${id}/tags/old`) },
  { name: 'share', run: (client, { id }) => client.image.post(`/images/${id}/members`, { member: 'f'.repeat(32) }) },
  { name: 'members', run: (client, { id }) => client.image.get(`/images/${id}/members`) },
  {
    name: 'answer',
    run: (client, { id, stranger }) =>
      client.image.put(`/images/${id}/members/${stranger.caller.projectId}`, { status: 'accepted' }),
  },
  { name: 'deactivate', run: (client, { id }) => client.image.post(`/images/${id}/actions/deactivate`) },
  { name: 'upload', run: (client, { id }) => client.image.put(`/images/${id}/file`, bytes) },
  { name: 'delete', run: (client, { id }) => client.image.delete(`/images/${id}`) },
]

/** What each persona gets, verb by verb; the first five share the image's project or see all, the last is told nothing. */
const table: Record<string, string> = {
  //              admin manager member reader sharer nobody
  list: '           200 200 200 200 200 200',
  show: '           200 200 200 200 200 404',
  download: '       200 200 200 403 200 404',
  rename: '         200 200 200 403 403 404',
  hide: '           200 200 200 403 403 404',
  publicize: '      200 403 403 403 403 404',
  communitize: '    200 200 200 403 403 404',
  'give away': '    200 403 403 403 403 404',
  tag: '            204 204 204 403 403 404',
  untag: '          204 204 204 403 403 404',
  share: '          200 200 200 403 403 404',
  members: '        200 200 200 200 200 404',
  answer: '         200 403 403 403 200 404',
  deactivate: '     204 204 204 403 403 404',
  upload: '         409 409 409 403 403 404',
  delete: '         204 204 204 403 403 404',
}

test('each persona may do with a shared image what its role allows, and no more', async (t) => {
  const cloud = await testCloud(t)
  const clients = [cloud.admin, cloud.manager, cloud.member, cloud.reader, cloud.stranger, cloud.newProject()]
  for (const { name, run } of verbs) {
    const expected = table[name]!.trim().split(' ').map(Number)
    for (const [at, client] of clients.entries())
      assert.equal((await run(client, await withImage(cloud))).status, expected[at], `${client.caller.userName}: ${name}`)
  }
})

test('a private image is known to its project alone', async (t) => {
  const w = await withImage(await testCloud(t), 'private')
  for (const { name, run } of verbs.filter((verb) => verb.name !== 'list'))
    assert.equal((await run(w.stranger, w)).status, 404, name)
})

test('public and community images are seen and used by all, and changed by none of them', async (t) => {
  for (const visibility of ['public', 'community']) {
    const w = await withImage(await testCloud(t), visibility)
    for (const { name, run } of verbs.filter((verb) => !['list', 'members', 'answer'].includes(verb.name)))
      assert.equal((await run(w.stranger, w)).status, ['show', 'download'].includes(name) ? 200 : 403, `${visibility}: ${name}`)
  }
})

test('without a token nothing but the versions is told', async (t) => {
  const w = await withImage(await testCloud(t))
  const nobody = w.withToken(undefined)
  for (const { name, run } of verbs) assert.equal((await run(nobody, w)).status, 401, name)
  assert.equal((await nobody.image.get('/schemas/image')).status, 401)
  assert.equal((await nobody.image.get('//versions')).status, 200)
})
