import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openValidators } from '../kit/http/validate.ts'
import { silentLog } from '../kit/log.ts'
import { imageConfig, imageSettings } from './image-settings.ts'

const places = { stateDir: '/var/lib/x', node: 'one', keys: { far: { accessKey: 'a', secretKey: 'b' } }, log: silentLog }

test('the section image of the configuration becomes settings, and what does not fit is refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'certificates-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'known.pem'), 'PEM')
  const config = {
    stores: [
      { id: 'near', type: 'file', folder: '/srv/images' },
      { id: 'far', type: 's3', endpoint: 'https://s3.example.org', bucket: 'images', description: 'slow' },
    ],
    webDownload: { allowedNetworks: ['10.0.0.0/8'], allowedPorts: [8080] },
    delayedDeleteSeconds: 60,
    convertTo: 'raw',
    certificates: folder,
    cacheBytes: 1000,
    propertyProtections: [{ names: 'x_.*', create: ['admin'], read: ['@'], update: ['!'], delete: ['!'] }],
  } as const
  const validators = openValidators()
  assert.equal(validators.check(imageConfig, config, 'body'), undefined)
  assert.ok(validators.check(imageConfig, { ...config, convertTo: 'vdi' }, 'body'))
  assert.ok(validators.check(imageConfig, { other: 1 }, 'body'))
  const settings = imageSettings(config as never, places)
  assert.deepEqual(
    settings.stores?.map(({ id, type, address }) => [id, type, address]),
    [
      ['near', 'file', 'file:///srv/images/'],
      ['far', 's3', 's3+https://s3.example.org/images/'],
    ],
  )
  settings.fetch?.check('http://10.1.2.3:8080/x')
  assert.throws(() => settings.fetch?.check('http://192.168.0.1:8080/x'))
  assert.equal(await settings.certificates?.('known'), 'PEM')
  for (const id of ['unknown', '../known', '../../etc/passwd']) assert.equal(await settings.certificates?.(id), undefined)
  assert.deepEqual(
    [settings.delayedDeleteSeconds, settings.conversion?.to, settings.cache?.maxBytes, settings.propertyProtections?.length],
    [60, 'raw', 1000, 1],
  )
  assert.throws(() => imageSettings(config as never, { ...places, keys: {} }), /store far/)
  assert.deepEqual(imageSettings({}, places).stores, [])
})
