import { type TSchema, Type } from 'typebox'
import { pageAsk } from '../../../kit/db/listing.ts'
import { Problem } from '../../../kit/errors.ts'
import { type Ask, type Endpoint, endpoint, reply } from '../../../kit/http/endpoint.ts'
import { render, view } from '../../../kit/http/view.ts'
import { type Keypair, type Keypairs, keypairListing } from '../domain/keypairs.ts'
import { generateSshKey } from '../domain/keys.ts'
import { nextLink } from './links.ts'
import { isoBare } from './times.ts'
import { loose, Name, querySchema, within } from './types.ts'

type Shown = Keypair & { privateKey?: string }

const common = {
  name: (key: Shown) => key.name,
  public_key: (key: Shown) => key.publicKey,
  fingerprint: (key: Shown) => key.fingerprint,
  type: { from: (key: Shown) => key.type, since: '2.2' },
}
const listed = view<Shown>(common)
const made = view<Shown>({ ...common, user_id: (key) => key.userId, private_key: (key) => key.privateKey })
const whole = view<Shown>({
  ...common,
  user_id: (key) => key.userId,
  created_at: (key) => isoBare(key.createdAt),
  deleted: () => false,
  deleted_at: () => null,
  id: (key) => key.number,
  updated_at: () => null,
})

const NewKeypair = (version: number): TSchema => {
  const special = version >= 92 ? '@.' : ''
  const name = Type.Unsafe({ allOf: [Name, { type: 'string', pattern: `^[a-zA-Z0-9 _\\-${special}]+$` }] })
  return within(
    'keypair',
    loose(
      {
        name,
        public_key: Type.String(),
        ...(version >= 2 ? { type: Type.Unsafe({ type: 'string', enum: ['ssh', 'x509'] }) } : {}),
        ...(version >= 10 ? { user_id: Type.String() } : {}),
      },
      version >= 92 ? ['name', 'public_key'] : ['name'],
    ),
  )
}

const userOf = ({ query, version, caller }: Pick<Ask, 'query' | 'version' | 'caller'>) =>
  (version >= 10 ? query['user_id']?.[0] : undefined) ?? caller.userId

const query = querySchema({ known: ['user_id'], since: { user_id: 10 } })

export function keypairEndpoints(keypairs: Keypairs): Endpoint[] {
  const rule = (verb: string) => `os_compute_api:os-keypairs:${verb}`
  const subject = (ask: Omit<Ask, 'subject' | 'body'>) => keypairs.find(userOf(ask as Ask), ask.params['keypair_name']!)
  const missing = ({ keypair_name }: Record<string, string>) => `Keypair ${keypair_name} not found for user`
  const context = ({ version }: { version: number }) => ({ version, can: () => true })
  const named = {
    query,
    subject,
    missing,
    target: (ask: { query: Ask['query']; version: number; caller: Ask['caller'] }) => ({ user_id: userOf(ask) }),
  }
  const remove = (since: string | undefined, until: string | undefined, status: number) =>
    endpoint({
      on: 'DELETE /os-keypairs/{keypair_name}',
      policy: rule('delete'),
      ...(since ? { since } : {}),
      ...(until ? { until } : {}),
      status,
      ...named,
      async handle({ subject: key }) {
        await keypairs.remove(key!.userId, key!.name)
      },
    })
  return [
    endpoint({
      on: 'GET /os-keypairs',
      policy: rule('index'),
      query: (version: number) => querySchema({ known: ['user_id'], since: { user_id: 10 }, paged: version >= 35 })(version),
      target: (ask) => ({ user_id: userOf(ask) }),
      async handle(ask) {
        const asked = ask.version >= 35 ? ask.query : {}
        const { keypairs: found, more } = await keypairs.list(userOf(ask), pageAsk(keypairListing, asked))
        return {
          keypairs: found.map((key) => ({ keypair: render(listed, key, context(ask)) })),
          ...(more && ask.version >= 35 ? { keypairs_links: nextLink(ask, '/os-keypairs', found.at(-1)!.name) } : {}),
        }
      },
    }),
    endpoint({
      on: 'POST /os-keypairs',
      policy: rule('create'),
      body: NewKeypair,
      target: ({ body, caller }) => ({ user_id: ownerIn(body) ?? caller.userId }),
      async handle({ body, caller, version }) {
        const wire = (body as { keypair: Record<string, string> }).keypair
        const type = (wire['type'] ?? 'ssh') as Keypair['type']
        if (type === 'x509' && wire['public_key'] === undefined)
          throw new Problem('invalid', 'Certificates are not generated here: send one as public_key.')
        const generated = wire['public_key'] === undefined ? generateSshKey() : undefined
        const key = await keypairs.create({
          userId: ownerIn(body) ?? caller.userId,
          projectId: caller.projectId ?? '',
          name: wire['name']!,
          type,
          publicKey: wire['public_key'] ?? generated!.publicKey,
        })
        const shown = { ...key, ...(generated ? { privateKey: generated.privateKey } : {}) }
        return reply({ status: version >= 2 ? 201 : 200, body: { keypair: render(made, shown, context({ version })) } })
      },
    }),
    endpoint({
      on: 'GET /os-keypairs/{keypair_name}',
      policy: rule('show'),
      ...named,
      handle: async ({ subject: key, version }) => ({ keypair: render(whole, key!, context({ version })) }),
    }),
    remove(undefined, '2.1', 202),
    remove('2.2', undefined, 204),
  ]
}

/** The body is not checked yet when the rule is asked. */
function ownerIn(body: unknown): string | undefined {
  const { keypair } = (body ?? {}) as { keypair?: { user_id?: unknown } }
  return typeof keypair?.user_id === 'string' ? keypair.user_id : undefined
}
