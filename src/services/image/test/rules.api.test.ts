import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type TestCloud, testCloud } from '../../../../test/cloud.ts'
import type { Endpoint } from '../../../kit/http/endpoint.ts'

type Persona = 'stranger' | 'service' | 'reader' | 'member' | 'manager' | 'admin'

/** Who loses something for the others comes last. */
const personas: Persona[] = ['stranger', 'service', 'reader', 'member', 'manager', 'admin']
const members: Persona[] = ['member', 'manager', 'admin']
const readers: Persona[] = ['reader', ...members]

/** Whom Glance's published defaults allow, of a shared image and a private namespace of the members' project; all other rules are the administrator's. */
const allowed: Record<string, Persona[]> = {
  get_images: ['stranger', ...readers],
  get_metadef_namespaces: ['stranger', ...readers],
  list_metadef_resource_types: ['stranger', ...readers],
  get_image: readers,
  get_members: readers,
  get_member: readers,
  get_metadef_namespace: readers,
  get_metadef_object: readers,
  get_metadef_objects: readers,
  get_metadef_property: readers,
  get_metadef_properties: readers,
  get_metadef_tag: readers,
  get_metadef_tags: readers,
  get_metadef_resource_type: readers,
  add_image: ['stranger', ...members],
  modify_image: members,
  delete_image: members,
  deactivate: members,
  reactivate: members,
  upload_image: members,
  download_image: members,
  add_member: members,
  delete_member: members,
  add_image_location: members,
  fetch_image_location: ['service', 'admin'],
  stores_info_detail: ['service', 'admin'],
}

/** Things of the members' project, made anew: what is asked for may take them away. */
async function things({ admin, member }: TestCloud, name: string): Promise<Record<string, string>> {
  const { id } = (await member.image.post('/images', { disk_format: 'raw', container_format: 'bare' })).body
  // Only what is active is deactivated.
  await member.image.put(`/images/${id}/file`, Buffer.from('bytes'))
  const other = 'f'.repeat(32)
  await member.image.post(`/images/${id}/members`, { member: other })
  const namespace = `N${name}`
  const owner = member.caller.projectId
  await admin.image.post('/metadefs/namespaces', { namespace, visibility: 'private', owner })
  await admin.image.post(`/metadefs/namespaces/${namespace}/objects`, { name: 'one' })
  await admin.image.post(`/metadefs/namespaces/${namespace}/properties`, { name: 'one', title: 'One', type: 'string' })
  await admin.image.post(`/metadefs/namespaces/${namespace}/tags/one`)
  const one = { object_name: 'one', property_name: 'one', tag_name: 'one', name: 'OS::Glance::Image' }
  return { image_id: id, member_id: other, namespace, ...one, store_id: 'elsewhere', tag: 'one', task_id: id }
}

async function may(
  cloud: TestCloud,
  persona: Persona,
  { method, path }: Endpoint,
  ids: Record<string, string>,
): Promise<boolean> {
  const url = path.replace(/\{([^}]+)\}/g, (_, name: string) => ids[name] ?? '')
  assert.ok(!url.includes('//'), `nothing for ${path}`)
  const client = cloud[persona].image
  const body = { method: { name: 'web-download', uri: 'http://192.0.2.1/x' } }
  const answer =
    method === 'GET' || method === 'DELETE'
      ? await client[method === 'GET' ? 'get' : 'delete'](url)
      : await client[method.toLowerCase() as 'post' | 'put' | 'patch'](url, path.endsWith('/import') ? body : {})
  assert.ok(answer.status < 500, `${method} ${path}: ${answer.status}`)
  // To others what they may not know of is not there.
  const isHidden = answer.status === 404 && (persona === 'stranger' || persona === 'service')
  return answer.status !== 403 && !isHidden
}

test('each rule lets through whom Glance’s defaults let through, by every endpoint that it guards', async (t) => {
  const blobs = { list: async () => [] } as never
  const cloud = await testCloud(t, { image: { cache: { node: 'one', blobs, maxBytes: 1 } } })
  const wrong: string[] = []
  const guarded = cloud.cloud.services.image.endpoints.filter(({ policy }) => !['public', 'token'].includes(policy))
  for (const [at, endpoint] of guarded.entries()) {
    const ids = await things(cloud, String(at))
    for (const persona of personas) {
      // An import asks who may change the image as well.
      const rule = endpoint.path.endsWith('/import') ? 'modify_image' : endpoint.policy
      const expected = (allowed[rule] ?? ['admin']).includes(persona)
      if ((await may(cloud, persona, endpoint, ids)) !== expected)
        wrong.push(`${persona} ${endpoint.method} ${endpoint.path} ${expected ? 'refused' : 'allowed'} by ${rule}`)
    }
  }
  assert.deepEqual(wrong, [])
  assert.ok(guarded.length > 50, `${guarded.length} endpoints`)
})
