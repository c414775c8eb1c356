import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export const suffix = 'dc=corp,dc=example'
export const rootDn = `cn=root,${suffix}`
export const cloudDn = `cn=cloud,${suffix}`
export const passwords = { root: 'root-pw', cloud: 'cloud-pw' }

export type Slapd = {
  url: string
  ldapsUrl: string
  caFile: string
  /** Another authority, that signed nothing here. */
  wrongCaFile: string
  start(): Promise<void>
  stop(): Promise<void>
  /** Freezes it: it takes connections and says nothing. */
  pause(): void
  resume(): void
  /** Changes in LDIF, as root. */
  change(ldif: string): void
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

const run = (argv: string[], input = ''): string => {
  const [program, ...args] = argv
  return execFileSync(program!, args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })
}

/** Debian's slapd with a configuration of its own in this folder, on free ports of the loopback. */
export async function openSlapd(folder: string, ldif: string): Promise<Slapd> {
  const [port, tlsPort] = [await freePort(), await freePort()]
  mkdirSync(join(folder, 'data'))
  const tls = certificates(folder)
  const config = join(folder, 'slapd.conf')
  writeFileSync(config, configuration(folder, tls))
  run(['/usr/sbin/slapadd', '-q', '-f', config], ldif)
  const urls = [`ldap://127.0.0.1:${port}`, `ldaps://127.0.0.1:${tlsPort}`]
  let child: ReturnType<typeof spawn> | undefined
  return {
    url: urls[0]!,
    ldapsUrl: urls[1]!,
    caFile: tls.ca,
    wrongCaFile: tls.wrongCa,
    async start() {
      child = spawn('/usr/sbin/slapd', ['-d', '0', '-f', config, '-h', `${urls.map((url) => `${url}/`).join(' ')}`], {
        stdio: 'inherit',
      })
      for (let patience = 100; patience > 0; patience--) {
        if (await answers(port)) return
        await sleep(50)
      }
      throw new Error('slapd does not start')
    },
    async stop() {
      if (!child || child.exitCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    change: (text) => void run(['ldapmodify', '-x', '-H', urls[0]!, '-D', rootDn, '-w', passwords.root], text),
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

type Tls = { ca: string; wrongCa: string; cert: string; key: string }

function certificates(folder: string): Tls {
  const at = (name: string) => join(folder, name)
  const self = (name: string, subject: string, more: string[] = []) =>
    run([
      ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`), '-subj', subject, ...more],
    ])
  self('ca', '/CN=corp authority')
  self('wrong', '/CN=another authority')
  self('slapd', '/CN=127.0.0.1', ['-addext', 'subjectAltName=IP:127.0.0.1', '-CA', at('ca.pem'), '-CAkey', at('ca.key')])
  return { ca: at('ca.pem'), wrongCa: at('wrong.pem'), cert: at('slapd.pem'), key: at('slapd.key') }
}

const configuration = (folder: string, { ca, cert, key }: Tls) => `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile ${folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile ${ca}
TLSCertificateFile ${cert}
TLSCertificateKeyFile ${key}
allow bind_v2
access to attrs=userPassword by anonymous auth by * none
access to * by users read by anonymous auth
database mdb
maxsize 104857600
suffix "${suffix}"
rootdn "${rootDn}"
rootpw ${passwords.root}
directory ${folder}/data
index uid,cn,objectClass,member eq
sizelimit 500
limits dn.exact="${cloudDn}" size.soft=500 size.hard=500 size.prtotal=unlimited
`
