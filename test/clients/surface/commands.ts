/** What the clients of identity and image can be told to do, and why some of it is not done here. */

export type CommandRow = { command: string; group: string }

/** Rows of osc-commands.tsv (command, service, plugin group, package) about identity and image. */
export const parseCommands = (text: string): CommandRow[] =>
  text
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([, service = '']) => /^(identity|image)(-v\d)?$/.test(service))
    .map(([command = '', , group = '']) => ({ command, group }))

const outside = 'federation with outside providers: a later issue'
const oauth = 'OAuth1: out of scope'

const left: [RegExp, string][] = [
  [/^(federation|identity provider|mapping|service provider) /, outside],
  [/^(consumer|request token|access token) /, oauth],
]

/** Why a command of `openstack` is not offered; undefined: it must work. */
export function whyNot({ command, group }: CommandRow): string | undefined {
  if (group === 'identity.v2') return 'identity v2.0 is retired'
  if (group === 'image.v1') return 'image v1 is retired'
  return left.find(([name]) => name.test(command))?.[1]
}

/** What Debian's openstack has no command for, its glance does. */
const throughGlance: Record<string, string> = {
  'cached image clear': 'cache-clear',
  'cached image delete': 'cache-delete',
  'cached image list': 'cache-list',
  'cached image queue': 'cache-queue',
  'image import': 'image-import',
  'image import info': 'import-info',
  'image member get': 'member-get',
  'image stage': 'image-stage',
  'image stores list': 'stores-info',
  'image task list': 'image-tasks',
  'image task show': 'task-show',
  'image metadef namespace set': 'md-namespace-update',
  'image metadef namespace unset': 'md-namespace-update',
  'image metadef property set': 'md-property-update',
  'image metadef resource type association create': 'md-resource-type-associate',
  'image metadef resource type association delete': 'md-resource-type-deassociate',
  'image metadef resource type association list': 'md-namespace-resource-type-list',
}

/** The command of `glance` that does what the one of `openstack` does. */
export const glanceFor = (command: string): string | undefined =>
  throughGlance[command] ??
  (command.startsWith('image metadef ') ? command.replace('image metadef', 'md').replaceAll(' ', '-') : undefined)

const locations = "changing locations is off in Glance's defaults too; POST locations is offered, which this client does not know"

/** Commands of `glance` that are about the client itself, or about what is not offered. */
export const glanceLeft: Record<string, string> = {
  help: 'about the client itself',
  'bash-completion': 'about the client itself',
  'location-add': locations,
  'location-delete': locations,
  'location-update': locations,
}

/** Why a method of keystone's library is not offered; `said` is what became of it. */
export const keystoneLeft = (method: string, said: string | null): string | undefined => {
  if (said === 'not in the library') return 'the library itself has no such call'
  if (method.startsWith('federation.')) return outside
  if (method.startsWith('oauth1.')) return oauth
  return /^simple_cert\.|^tokens\.get_revoked$/.test(method) ? 'PKI tokens are retired' : undefined
}
