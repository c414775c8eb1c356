import { readFileSync } from 'node:fs'
import type { Credentials } from '../session.ts'

type Texts = Exclude<keyof Credentials, 'timeoutMs' | 'trust'>

/** Options of logging in: each has an OS_ variable. Old names stand beside today's; both are read, the first that is set counts. */
const sources: Record<Texts, { flags: string[]; variables: string[]; preset?: string }> = {
  authUrl: { flags: ['--os-auth-url'], variables: ['OS_AUTH_URL'] },
  username: { flags: ['--os-username'], variables: ['OS_USERNAME'] },
  userId: { flags: ['--os-user-id'], variables: ['OS_USER_ID'] },
  password: { flags: ['--os-password'], variables: ['OS_PASSWORD'] },
  token: { flags: ['--os-token'], variables: ['OS_TOKEN'] },
  projectName: { flags: ['--os-project-name', '--os-tenant-name'], variables: ['OS_PROJECT_NAME', 'OS_TENANT_NAME'] },
  projectId: { flags: ['--os-project-id', '--os-tenant-id'], variables: ['OS_PROJECT_ID', 'OS_TENANT_ID'] },
  userDomainId: { flags: ['--os-user-domain-id'], variables: ['OS_USER_DOMAIN_ID'] },
  userDomainName: { flags: ['--os-user-domain-name'], variables: ['OS_USER_DOMAIN_NAME'] },
  projectDomainId: { flags: ['--os-project-domain-id'], variables: ['OS_PROJECT_DOMAIN_ID'] },
  projectDomainName: { flags: ['--os-project-domain-name'], variables: ['OS_PROJECT_DOMAIN_NAME'] },
  region: { flags: ['--os-region-name'], variables: ['OS_REGION_NAME'] },
  interface: {
    flags: ['--os-endpoint-type', '--endpoint-type', '--os-interface'],
    variables: ['OS_ENDPOINT_TYPE', 'OS_INTERFACE'],
    preset: 'public',
  },
}

export const globalFlags = [
  ...Object.values(sources).flatMap(({ flags }) => flags),
  '--http-timeout',
  '--os-auth-strategy',
  '--retries',
  '--os-cacert',
  '--os-cloud',
  '--os-service-type',
  '--service-type',
  '--os-cert',
  '--os-key',
  '--os-url',
]

/** Understood by the original; here they would change nothing, and are refused rather than ignored. */
const unsupported: Record<string, string> = {
  '--os-cloud': 'clouds.yaml is not read: set OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and OS_TENANT_NAME',
  '--os-url': 'the address of the network service comes from the catalog: set OS_AUTH_URL',
  '--os-cert': 'logging in by certificate is not supported: set OS_USERNAME and OS_PASSWORD',
  '--os-key': 'logging in by certificate is not supported: set OS_USERNAME and OS_PASSWORD',
}

/** Throws with the option and the variable when something needed is missing. */
export function readCredentials(options: ReadonlyMap<string, string>, isInsecure: boolean, env: NodeJS.ProcessEnv): Credentials {
  for (const [flag, why] of Object.entries(unsupported)) if (options.has(flag)) throw new Error(`${flag}: ${why}`)
  const found = Object.fromEntries(
    Object.entries(sources).map(([key, { flags, variables, preset = '' }]) => [
      key,
      flags.map((flag) => options.get(flag)).find((value) => value) ??
        variables.map((name) => env[name]).find((value) => value) ??
        preset,
    ]),
  ) as Pick<Credentials, Texts>
  const seconds = Number(options.get('--http-timeout') ?? env['OS_NETWORK_TIMEOUT'] ?? 0)
  const authority = options.get('--os-cacert') ?? env['OS_CACERT']
  const who = {
    ...found,
    interface: found.interface.replace(/URL$/, ''),
    timeoutMs: seconds * 1000,
    trust: { insecure: isInsecure, authorities: authority ? readFileSync(authority, 'utf8') : undefined },
  }
  const missing = missingOf(who)
  if (missing) throw new Error(missing)
  return who
}

function missingOf(who: Credentials): string | undefined {
  const must = (what: string, flag: string, variable: string) => `You must provide ${what} via either ${flag} or env[${variable}]`
  if (who.authUrl === '') return must('an authentication URL', '--os-auth-url', 'OS_AUTH_URL')
  if (who.token === '' && who.username === '' && who.userId === '')
    return must('a username or user ID', '--os-username', 'OS_USERNAME')
  if (who.token === '' && who.password === '') return must('a password', '--os-password', 'OS_PASSWORD')
  if (who.projectName === '' && who.projectId === '')
    return must('a tenant name or tenant ID', '--os-tenant-name', 'OS_TENANT_NAME')
  return undefined
}
