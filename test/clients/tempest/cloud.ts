import { openAsBlob } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Api, openApi } from '../../../src/deploy/demo/api.ts'
import { diskBlobs, memoryBlobs } from '../../../src/drivers/blobs/index.ts'
import { openFetch } from '../../../src/kit/fetch/fetch.ts'
import { silentLog } from '../../../src/kit/log.ts'
import { openCloud } from '../../../src/main/cloud.ts'
import { emptyQcow2 } from '../../../src/main/empty-image.ts'
import { localHosts } from '../../../src/main/local-hosts.ts'
import { startCloud } from '../../../src/main/start-cloud.ts'
import type { ImageSettings } from '../../../src/services/image/index.ts'
import type { Facts } from './conf.ts'

export type TestedCloud = { facts: Facts; doctor(): Promise<string[]>; close(): Promise<void> }

const adminPassword = 'tempest-admin'
const rules: Facts['rules'] = { attempts: 2, seconds: 5, unique: 2 }
const secondType = 'image_remote'

/**
 * A simulated cloud with everything switched on that tempest asks about: two image stores and a cache, a web server to import from, password rules, and a second
 * controller over the same database, which serves images.
 */
export async function startTestedCloud(folder: string): Promise<TestedCloud> {
  const web = await serveBytes(Buffer.alloc(64 << 10, 'image'))
  const place = (name: string) => join(folder, name)
  await mkdir(place('images'), { recursive: true })
  const options = {
    database: place('cloud.db'),
    imageDir: place('images'),
    identity: {
      passwordRules: {
        lockoutFailureAttempts: rules.attempts,
        lockoutDurationSeconds: rules.seconds,
        uniqueLastPasswordCount: rules.unique,
      },
    },
  }
  const image = (node: string): Partial<ImageSettings> => ({
    stores: [{ id: 'second', type: 'file', blobs: diskBlobs(place('second')) }],
    fetch: openFetch({ allowedNetworks: ['127.0.0.1'], allowedPorts: [80, 443, web.port] }),
    importMethods: ['glance-direct', 'web-download', 'copy-image', 'glance-download'],
    cache: { node, blobs: memoryBlobs(), maxBytes: 1 << 30 },
  })
  const first = await startCloud({ ...options, image: image('first'), password: adminPassword })
  const second = await openCloud({
    ...options,
    image: image('second'),
    region: 'RegionOne',
    adminPassword,
    hashing: 'weak',
    network: {
      tenantTypes: ['vxlan'],
      flat: [],
      vlanRanges: [],
      vniRanges: [[1, 65_535]],
      tunnelIdRanges: [],
      physicalMtu: 1500,
    },
    hosts: localHosts(),
    url: (service) => first.urls[service],
    log: silentLog,
  })
  const secondUrl = await second.apps.image.listen({ port: 0, host: '127.0.0.1' })
  const identityUrl = `${first.urls.identity}/v3`
  const admin = await openApi({ url: identityUrl, user: 'admin', password: adminPassword, project: 'admin' })
  await addService(admin, secondUrl)
  return {
    facts: {
      folder,
      identityUrl,
      adminPassword,
      rules,
      webImage: `http://127.0.0.1:${web.port}/image`,
      secondImage: secondType,
      networkExtensions: await networkExtensions(admin),
      ids: await idsOf(admin, folder),
    },
    doctor: first.doctor,
    async close() {
      await second.close()
      await first.close()
      web.close()
    },
  }
}

async function addService(admin: Api, url: string): Promise<void> {
  const { service } = await admin.post<{ service: { id: string } }>('identity', '/services', {
    service: { type: secondType, name: 'glance_remote' },
  })
  const endpoint = { service_id: service.id, interface: 'public', url, region_id: 'RegionOne' }
  await admin.post('identity', '/endpoints', { endpoint })
}

const networkExtensions = async (admin: Api): Promise<string[]> =>
  (await admin.get<{ extensions: { alias: string }[] }>('network', '/extensions')).extensions.map(({ alias }) => alias)

type Named = { id: string }

/** The demo set has one image; tempest wants two to rebuild with. */
async function idsOf(admin: Api, folder: string): Promise<Facts['ids']> {
  const other = { name: 'other', disk_format: 'qcow2', container_format: 'bare', visibility: 'public' }
  const { id: secondImage } = await admin.post<Named>('image', '/images', other)
  const file = join(folder, 'other.qcow2')
  await writeFile(file, emptyQcow2(64 << 20))
  await admin.upload('image', `/images/${secondImage}/file`, await openAsBlob(file))
  const { images } = await admin.get<{ images: Named[] }>('image', '/images?name=mini')
  const { networks } = await admin.get<{ networks: Named[] }>('network', '/networks?router:external=true')
  return { image: images[0]!.id, secondImage, flavor: '42', secondFlavor: '1', publicNetwork: networks[0]!.id }
}

async function serveBytes(bytes: Buffer): Promise<{ port: number; close(): void }> {
  const server = createServer((_, answer) => void answer.end(bytes))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() }
}
