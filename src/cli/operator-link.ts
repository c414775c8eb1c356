import { readFile } from 'node:fs/promises'
import { type LinkClient, openLinkClient } from '../kit/link/client.ts'
import { silentLog } from '../kit/log.ts'

const folder = () => process.env['ALTOSTACK_CONFIG_DIR'] ?? '/etc/altostack'

/** The link of a tool on the controller's machine. Needs to read the link's key: root. Throws an error that says so. */
export async function operatorLink(): Promise<LinkClient> {
  const config = await read(`${folder()}/altostack.json`)
  const secrets = await read(`${folder()}/secrets.json`)
  const { controller } = config['agent'] as { controller: string }
  const certificate = secrets['linkCertificate']
  return openLinkClient({
    url: controller,
    ...(typeof certificate === 'string' && { certificate }),
    key: String(secrets['linkKey']),
    host: '',
    log: silentLog,
  })
}

async function read(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EACCES') throw new Error(`${path} cannot be read: run this as root.`)
    throw new Error(`${path} is not there: is this the machine on which packstack installed the cloud?`)
  })
  return JSON.parse(text) as Record<string, unknown>
}
