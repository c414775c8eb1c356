import type { Server } from '../server.ts'
import { ec2Data, ec2Versions } from './ec2.ts'
import { newestVersion, openstackFile, openstackFiles, openstackVersions, userData } from './openstack.ts'

/** Everything the metadata service would answer, as files of a drive: base64 by path. The same each time for the same server. Pure. */
export function configDriveFiles(server: Server): Record<string, string> {
  const source = { server, ports: server.ports, entropy: 'fixed' } as const
  const files: Record<string, string> = {}
  const put = (path: string, body: string | Buffer) => {
    files[path] = Buffer.from(body).toString('base64')
  }
  const user = userData(server)
  for (const name of [...ec2Versions, 'latest']) {
    const version = name === 'latest' ? ec2Versions.at(-1)! : name
    put(`ec2/${name}/meta-data.json`, JSON.stringify(ec2Data(source, version)))
    if (user !== undefined) put(`ec2/${name}/user-data`, user)
  }
  for (const name of [...openstackVersions, 'latest']) {
    const version = name === 'latest' ? newestVersion : name
    for (const file of openstackFiles(server, version))
      if (file !== 'password') put(`openstack/${name}/${file}`, openstackFile(source, version, file)!.body)
  }
  return files
}
