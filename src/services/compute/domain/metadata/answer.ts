import { isUtf8 } from 'node:buffer'
import type { MetadataReply } from '../../../../agents/document.ts'
import { ec2Item, ec2Versions } from './ec2.ts'
import {
  type MetadataFile,
  type MetadataSource,
  newestVersion,
  openstackFile,
  openstackFiles,
  openstackVersions,
  text,
} from './openstack.ts'

const reply = ({ contentType, body }: MetadataFile): MetadataReply => {
  const isText = typeof body === 'string' || isUtf8(body)
  return {
    status: 200,
    contentType,
    ...(isText ? { body: body.toString() } : { body: body.toString('base64'), encoding: 'base64' }),
  }
}
const plain = (body: string | Buffer) => reply(text(body))

const failure = (status: number, title: string, why: string): MetadataReply => ({
  status,
  contentType: 'text/html; charset=UTF-8',
  body: `<html>\n <head>\n  <title>${status} ${title}</title>\n </head>\n <body>\n  <h1>${status} ${title}</h1>\n  ${why}<br /><br />\n\n\n </body>\n</html>`,
})
export const notFound = failure(404, 'Not Found', 'The resource could not be found.')
const notAllowed = failure(405, 'Method Not Allowed', 'The method is not allowed for this resource.')

/** The metadata service's answer to its guest. The path comes from the guest: it selects, and is shown nowhere. */
export function answerMetadata(source: MetadataSource, method: string, path: string): MetadataReply {
  if (method !== 'GET' && method !== 'HEAD') return notAllowed
  const steps = path
    .split(/[?#]/, 1)[0]!
    .split('/')
    .filter((step) => step !== '' && step !== '.')
  if (steps.includes('..')) return notFound
  if (steps[0] === 'openstack') return openstack(source, steps.slice(1))
  return ec2(source, steps[0] === 'ec2' ? steps.slice(1) : steps)
}

function openstack(source: MetadataSource, [asked, ...rest]: string[]): MetadataReply {
  if (asked === undefined) return plain([...openstackVersions, 'latest'].join('\n'))
  const version = asked === 'latest' ? newestVersion : asked
  if (!openstackVersions.includes(version)) return notFound
  if (rest.length === 0) return plain(openstackFiles(source.server, version).join('\n'))
  const file = openstackFile(source, version, rest.join('/'))
  return file ? reply(file) : notFound
}

function ec2(source: MetadataSource, [asked, ...rest]: string[]): MetadataReply {
  if (asked === undefined) return plain([...ec2Versions, 'latest'].join('\n'))
  const version = asked === 'latest' ? ec2Versions.at(-1)! : asked
  const item = ec2Versions.includes(version) ? ec2Item(source, version, rest) : undefined
  return item === undefined ? notFound : plain(item)
}
