import assert from 'node:assert/strict'
import { constants, createSign } from 'node:crypto'
import { copyFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { type Client, testCloud } from '../../../../test/cloud.ts'
import { day, minute } from '../../../kit/clock.ts'
import { CommandFailed, type Exec } from '../../../kit/exec/exec.ts'
import { qcow2 } from '../inspect/samples.ts'
import { rsa, secp384r1 } from './certificates.ts'

const raw = { disk_format: 'raw', container_format: 'bare' }
const make = async (client: Client, more: object = {}): Promise<string> =>
  (await client.image.post('/images', { ...raw, ...more })).body.id
const upload = async (client: Client, id: string, bytes: Uint8Array) =>
  (await client.image.put(`/images/${id}/file`, bytes)).status
const patch = (client: Client, id: string, ...operations: object[]) =>
  client.image.patch(`/images/${id}`, operations, {
    headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' },
  })
const show = async (client: Client, id: string) => (await client.image.get(`/images/${id}`)).body

test('with delayed delete a deleted image is gone at once and its bytes later', async (t) => {
  const { cloud, clock, member, settle } = await testCloud(t, { image: { delayedDeleteSeconds: 3600 } })
  const id = await make(member)
  await upload(member, id, Buffer.from('x'))
  await member.image.delete(`/images/${id}`)
  await settle()
  assert.equal((await member.image.get(`/images/${id}`)).status, 404)
  assert.equal((await member.image.get('/images')).body.images.length, 0)
  const held = async () => {
    const { holds, exists } = await cloud.services.image.audit!()
    assert.deepEqual(holds, exists)
    return holds.blob!.length
  }
  assert.equal(await held(), 1)
  clock.advance(61 * minute)
  await settle()
  assert.equal(await held(), 0)
})

test('an operator brings back an image that was deleted while its bytes are kept, and not later', async (t) => {
  const { cloud, clock, member, settle } = await testCloud(t, { image: { delayedDeleteSeconds: 3600 } })
  const restore = (image: string) => cloud.contracts.images.restore({ id: image })
  const id = await make(member, { x: '1' })
  await upload(member, id, Buffer.from('bytes'))
  await assert.rejects(restore(id), /is active/)
  await member.image.delete(`/images/${id}`)
  await settle()
  await restore(id)
  clock.advance(61 * minute)
  await settle()
  assert.deepEqual([(await show(member, id)).status, (await show(member, id)).x], ['active', '1'])
  assert.equal((await member.image.get(`/images/${id}/file`)).body, 'bytes')
  await member.image.delete(`/images/${id}`)
  clock.advance(61 * minute)
  await settle()
  await assert.rejects(restore(id), /no image/)
  assert.deepEqual((await cloud.services.image.audit!()).holds, { blob: [] })
})

test('protected properties: each role does what its rule says, and names without a rule are nobody’s', async (t) => {
  const everything = (...roles: string[]) => ({ create: roles, read: roles, update: roles, delete: roles })
  const { admin, member } = await testCloud(t, {
    image: {
      propertyProtections: [
        { names: /x_owner_/, ...everything('admin', 'member') },
        { names: /x_billing_/, ...everything('admin'), read: ['@'] },
        { names: /x_secret_/, ...everything('admin') },
        { names: /x_fixed_/, create: ['member'], read: ['member'], update: ['!'], delete: ['!'] },
      ],
    },
  })
  for (const name of ['x_billing_a', 'x_secret_a', 'other'])
    assert.equal((await member.image.post('/images', { [name]: '1' })).status, 403, name)
  const id = await make(member, { x_owner_a: '1', x_fixed_a: '1' })
  assert.equal((await patch(admin, id, { op: 'add', path: '/x_billing_a', value: '1' })).status, 200)
  assert.equal((await patch(admin, id, { op: 'add', path: '/x_secret_a', value: '1' })).status, 200)
  const seen = await show(member, id)
  assert.deepEqual([seen.x_owner_a, seen.x_billing_a, seen.x_secret_a], ['1', '1', undefined])
  assert.equal((await member.image.get('/images')).body.images[0].x_secret_a, undefined)
  for (const [operation, status] of [
    [{ op: 'replace', path: '/x_owner_a', value: '2' }, 200],
    [{ op: 'remove', path: '/x_owner_a' }, 200],
    [{ op: 'replace', path: '/x_billing_a', value: '2' }, 403],
    [{ op: 'remove', path: '/x_billing_a' }, 403],
    [{ op: 'replace', path: '/x_fixed_a', value: '2' }, 403],
    [{ op: 'add', path: '/xx_owner_a', value: '2' }, 403],
    [{ op: 'replace', path: '/name', value: 'n' }, 200],
  ] as const)
    assert.equal((await patch(member, id, operation)).status, status, JSON.stringify(operation))
  assert.equal((await show(admin, id)).x_secret_a, '1')
})

test('protected properties: a rule of the policy language decides like roles do, and may name the rules of images', async (t) => {
  const all = { create: '@', read: '@', update: '@', delete: '@' }
  const { admin, member, reader } = await testCloud(t, {
    image: {
      propertyProtections: [
        { names: /x_/, ...all, update: 'rule:context_is_admin or user_id:%(user_id)s', delete: 'not role:member' },
        { names: /y_/, ...all, create: 'role:member', read: 'rule:context_is_admin', update: 'rule:unknown' },
      ],
    },
  })
  const id = await make(member, { x_a: '1', y_a: '1' })
  assert.equal((await show(member, id)).y_a, undefined)
  assert.equal((await show(admin, id)).y_a, '1')
  const change = { op: 'replace', path: '/x_a', value: '2' }
  assert.equal((await patch(member, id, change)).status, 403)
  assert.equal((await patch(member, id, { op: 'remove', path: '/x_a' })).status, 403)
  assert.equal((await patch(admin, id, change)).status, 200)
  assert.equal((await patch(admin, id, { op: 'replace', path: '/y_a', value: '2' })).status, 403)
  assert.equal((await reader.image.post('/images', { y_b: '1' })).status, 403)
  const broken = { image: { propertyProtections: [{ names: /x/, ...all, read: 'role:a or (' }] } }
  await assert.rejects(testCloud(undefined, broken), /parenthesis|too early/)
})

type Limits = Record<string, number>

async function limited(t: Parameters<typeof testCloud>[0], limits: Limits) {
  const cloud = await testCloud(t, { identity: true })
  const { body } = await cloud.admin.identity.get('/services?type=image')
  const registered = Object.entries(limits).map(([resource_name, default_limit]) => ({
    service_id: body.services[0].id,
    resource_name,
    default_limit,
  }))
  assert.equal((await cloud.admin.identity.post('/registered_limits', { registered_limits: registered })).status, 201)
  return cloud
}

test('unified limits: the number of images, and of those being filled', async (t) => {
  const { member, stranger } = await limited(t, { image_count_total: 2, image_count_uploading: 1 })
  const [one, two] = [await make(member), await make(member)]
  assert.equal((await member.image.post('/images', raw)).status, 413)
  assert.equal((await stranger.image.post('/images', raw)).status, 201)
  assert.equal((await member.image.put(`/images/${one}/stage`, Buffer.from('x'))).status, 204)
  assert.equal(await upload(member, two, Buffer.from('x')), 413)
  assert.equal((await show(member, two)).status, 'queued')
  await member.image.delete(`/images/${one}`)
  assert.equal(await upload(member, two, Buffer.from('x')), 204)
})

test('OSSA-2015-003: unified limits of bytes hold to the byte, staged and stored, whatever is deleted meanwhile', async (t) => {
  const { member, settle } = await limited(t, { image_size_total: 2, image_stage_total: 1 })
  const mebibyte = (n: number) => Buffer.alloc(n * 1024 * 1024)
  const [one, two, three] = [await make(member), await make(member), await make(member)]
  assert.equal(await upload(member, one, Buffer.alloc(2 * 1024 * 1024 + 1)), 413)
  assert.equal((await show(member, one)).status, 'queued')
  assert.equal(await upload(member, one, mebibyte(1)), 204)
  assert.equal((await member.image.put(`/images/${two}/stage`, Buffer.alloc(1024 * 1024 + 1))).status, 413)
  assert.equal((await member.image.put(`/images/${two}/stage`, mebibyte(1))).status, 204)
  assert.deepEqual((await member.image.get('/info/usage')).body.usage, {
    image_size_total: { limit: 2, usage: 1 },
    image_stage_total: { limit: 1, usage: 1 },
    image_count_total: { limit: -1, usage: 3 },
    image_count_uploading: { limit: -1, usage: 1 },
  })
  assert.equal(await upload(member, three, mebibyte(1)), 204)
  await member.image.post(`/images/${two}/import`, { method: { name: 'glance-direct' } })
  await settle()
  assert.equal((await show(member, two)).status, 'queued')
  assert.match((await member.image.get(`/images/${two}/tasks`)).body.tasks[0].message, /image_size_total/)
  await member.image.delete(`/images/${three}`)
  assert.equal(await upload(member, two, mebibyte(1)), 204)
})

const signed = (bytes: Buffer, certificate: string, hash = 'SHA-256') => ({
  img_signature:
    certificate === 'rsa'
      ? createSign(hash.replace('-', ''))
          .update(bytes)
          .sign(
            { key: rsa.key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN },
            'base64',
          )
      : createSign(hash.replace('-', '')).update(bytes).sign(secp384r1.key, 'base64'),
  img_signature_hash_method: hash,
  img_signature_key_type: certificate === 'rsa' ? 'RSA-PSS' : 'ECC_SECP384R1',
  img_signature_certificate_uuid: certificate,
})

test('a signed image becomes active with the bytes that were signed and with no others, uploaded or imported', async (t) => {
  const known: Record<string, string> = { rsa: rsa.certificate, ec: secp384r1.certificate }
  const certificates = async (id: string) => known[id]
  const { clock, member, settle } = await testCloud(t, { image: { certificates } })
  const bytes = Buffer.from('bytes')
  const status = async (properties: object, sent = bytes) => upload(member, await make(member, properties), sent)
  assert.equal(await status(signed(bytes, 'rsa')), 400)
  clock.advance(400 * day)
  for (const name of ['rsa', 'ec'])
    for (const hash of ['SHA-224', 'SHA-256', 'SHA-384', 'SHA-512']) assert.equal(await status(signed(bytes, name, hash)), 204)
  assert.equal(await status(signed(bytes, 'rsa'), Buffer.from('other')), 400)
  for (const wrong of [
    { img_signature: 'AAAA' },
    { img_signature_hash_method: 'MD5' },
    { img_signature_hash_method: 'SHA-512' },
    { img_signature_key_type: 'ECC_SECP384R1' },
    { img_signature_certificate_uuid: 'unknown' },
    { img_signature_certificate_uuid: 'ec' },
  ])
    assert.equal(await status({ ...signed(bytes, 'rsa'), ...wrong }), 400, JSON.stringify(wrong))
  clock.advance(day)
  for (const [sent, expected] of [
    [bytes, 'active'],
    [Buffer.from('other'), 'queued'],
  ] as const) {
    const id = await make(member, signed(bytes, 'ec'))
    await member.image.put(`/images/${id}/stage`, sent)
    await member.image.post(`/images/${id}/import`, { method: { name: 'glance-direct' } })
    await settle()
    assert.equal((await show(member, id)).status, expected)
  }
  clock.advance(101 * 365 * day)
  assert.equal(await status(signed(bytes, 'rsa')), 400)
})

/** Stands for qemu-img: what it would make of the source is the source. */
const converter = (seen: string[][], fails = false): Exec => {
  const attempt: Exec['attempt'] = async (argv) => {
    seen.push([...argv])
    await copyFile(argv.at(-2)!, argv.at(-1)!)
    return { code: 0, stdout: '', stderr: '' }
  }
  return {
    attempt,
    async run(argv) {
      if (fails) throw new CommandFailed(argv, 1, 'no')
      return (await attempt(argv)).stdout
    },
  }
}

test('imported disks are converted, within limits, and judged again; what cannot be is refused', async (t) => {
  const seen: string[][] = []
  const folder = tmpdir()
  const convert = async (fails: boolean, disk: string, bytes: Buffer) => {
    const { cloud, member, settle } = await testCloud(undefined, {
      image: { conversion: { to: 'qcow2', folder, exec: converter(seen, fails) } },
    })
    const id = await make(member, { disk_format: disk })
    await member.image.put(`/images/${id}/stage`, bytes)
    await member.image.post(`/images/${id}/import`, { method: { name: 'glance-direct' } })
    await settle()
    const image = await show(member, id)
    const { holds, exists } = await cloud.services.image.audit!()
    assert.deepEqual(holds, exists)
    await cloud.close()
    return [image.status, image.disk_format, image.virtual_size]
  }
  // The stand-in changes nothing, so what was raw is judged as no QCOW2.
  assert.deepEqual(await convert(false, 'raw', Buffer.alloc(512)), ['queued', 'raw', null])
  assert.deepEqual(seen[0]!.slice(0, 3), ['prlimit', '--as=1073741824', '--cpu=3600'])
  assert.deepEqual(seen[0]!.slice(4, 11), ['--', 'qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2'])
  assert.deepEqual(await convert(false, 'qcow2', qcow2()), ['active', 'qcow2', 1 << 20])
  assert.equal(seen.length, 1)
  assert.deepEqual(await convert(true, 'raw', Buffer.alloc(512)), ['queued', 'raw', null])
  t.diagnostic('the real converter is proved by test/vm/images')
})
