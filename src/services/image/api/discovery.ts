import { endpoint, reply } from '../../../kit/http/endpoint.ts'
import { containerFormats, diskFormats } from './attributes.ts'

/** The newest first; 2.16 is the cache's, and there where it is. */
const versionsOf = (hasCache: boolean): string[] =>
  Array.from({ length: 18 }, (_, at) => 17 - at)
    .filter((minor) => minor !== 16 || hasCache)
    .map((minor) => `v2.${minor}`)

const versionList = (origin: string, hasCache: boolean) => ({
  versions: versionsOf(hasCache).map((id, at) => ({
    id,
    status: at === 0 ? 'CURRENT' : 'SUPPORTED',
    links: [{ rel: 'self', href: `${origin}/v2/` }],
  })),
})

const text = (description: string, extra = {}) => ({ type: 'string', description, ...extra })
const orNull = (description: string, extra = {}) => ({ type: ['null', 'string'], description, ...extra })
const fixed = { readOnly: true }

const image = {
  id: text('An identifier for the image', {
    pattern: '^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$',
  }),
  name: orNull('Descriptive name for the image', { maxLength: 255 }),
  status: text('Status of the image', { ...fixed, enum: ['queued', 'saving', 'active', 'deactivated', 'deleted'] }),
  visibility: text('Scope of image accessibility', { enum: ['community', 'public', 'private', 'shared'] }),
  protected: { type: 'boolean', description: 'If true, image will not be deletable.' },
  os_hidden: { type: 'boolean', description: 'If true, image will not appear in default image list response.' },
  checksum: orNull('md5 hash of image contents.', { ...fixed, maxLength: 32 }),
  os_hash_algo: orNull('Algorithm to calculate the os_hash_value', { ...fixed, maxLength: 64 }),
  os_hash_value: orNull('Hexdigest of the image contents', { ...fixed, maxLength: 128 }),
  owner: orNull('Owner of the image', { maxLength: 255 }),
  size: { type: ['null', 'integer'], description: 'Size of image file in bytes', ...fixed },
  virtual_size: { type: ['null', 'integer'], description: 'Virtual size of image in bytes', ...fixed },
  container_format: orNull('Format of the container', { enum: [null, ...containerFormats] }),
  disk_format: orNull('Format of the disk', { enum: [null, ...diskFormats] }),
  created_at: text('Date and time of image registration', fixed),
  updated_at: text('Date and time of the last image modification', fixed),
  tags: { type: 'array', items: { type: 'string', maxLength: 255 }, description: 'List of strings related to the image' },
  self: text('An image self url', fixed),
  file: text('An image file url', fixed),
  schema: text('An image schema url', fixed),
  min_ram: { type: 'integer', description: 'Amount of ram (in MB) required to boot image.' },
  min_disk: { type: 'integer', description: 'Amount of disk space (in GB) required to boot image.' },
}
const member = {
  member_id: text('An identifier for the image member (project id)'),
  image_id: image.id,
  created_at: text('Date and time of image member creation'),
  updated_at: text('Date and time of last modification of image member'),
  status: text('The status of this image member', { enum: ['pending', 'accepted', 'rejected'] }),
  schema: text('', fixed),
}
const task = {
  id: image.id,
  type: text('The type of the task', { enum: ['import', 'api_image_import', 'location_import'] }),
  status: text('The present status of the task', { enum: ['pending', 'processing', 'success', 'failure'] }),
  input: { type: ['null', 'object'], description: 'What the task was given' },
  result: { type: ['null', 'object'], description: 'What the task came to' },
  owner: text('The project of the task'),
  message: text('What went wrong'),
  image_id: text('The image of the task'),
  request_id: text('The request that made the task'),
  user_id: text('The user who made the task'),
  expires_at: orNull('When the task may be forgotten'),
  created_at: text('Date and time of creation'),
  updated_at: text('Date and time of the last change'),
  self: text('', fixed),
  schema: text('', fixed),
}
const { input: _, result: __, message: ___, ...taskStub } = task
const schemas: Record<string, unknown> = {
  image: {
    name: 'image',
    properties: image,
    additionalProperties: { type: 'string' },
    links: [
      { rel: 'self', href: '{self}' },
      { rel: 'enclosure', href: '{file}' },
      { rel: 'describedby', href: '{schema}' },
    ],
  },
  member: { name: 'member', properties: member },
  task: { name: 'task', properties: task },
}
const collection = (name: string) => ({
  name: `${name}s`,
  properties: {
    [`${name}s`]: { type: 'array', items: name === 'task' ? { name, properties: taskStub } : schemas[name] },
    first: { type: 'string' },
    next: { type: 'string' },
    schema: { type: 'string' },
  },
  links: [
    { rel: 'first', href: '{first}' },
    { rel: 'next', href: '{next}' },
    { rel: 'describedby', href: '{schema}' },
  ],
})

export const discoveryEndpoints = (hasCache: boolean) => [
  endpoint({
    on: 'GET //',
    policy: 'public',
    summary: 'list API versions',
    handle: async ({ origin }) => reply({ status: 300, body: versionList(origin, hasCache) }),
  }),
  endpoint({
    on: 'GET //versions',
    policy: 'public',
    summary: 'list API versions',
    handle: async ({ origin }) => versionList(origin, hasCache),
  }),
  ...['image', 'member', 'task'].flatMap((name) => [
    endpoint({ on: `GET /schemas/${name}`, policy: 'token', summary: `schema of a ${name}`, handle: async () => schemas[name] }),
    endpoint({
      on: `GET /schemas/${name}s`,
      policy: 'token',
      summary: `schema of a list of ${name}s`,
      handle: async () => collection(name),
    }),
  ]),
]
