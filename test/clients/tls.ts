import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { ourNeutron, type Walk } from './neutron.ts'

/** Our client before a server that speaks TLS with a certificate of its own, and passes all on to the cloud. */
export const tlsWalks = (env: Record<string, string>, folder: string): Walk[] => [
  {
    name: 'neutron over TLS: refused without the authority, done with OS_CACERT or --insecure',
    async run() {
      const [key, cert] = [`${folder}/tls.key`, `${folder}/tls.pem`]
      const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
      const made = [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
      ]
      execFileSync('openssl', [...made, '-days', '2', ...subject], { stdio: 'ignore' })
      const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (ask, answer) => {
        const to = request(
          `${new URL(env['OS_AUTH_URL']!).origin}${ask.url}`,
          { method: ask.method!, headers: ask.headers },
          (reply) => {
            answer.writeHead(reply.statusCode!, reply.headers)
            reply.pipe(answer)
          },
        )
        ask.pipe(to)
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      try {
        const safe = { ...env, OS_AUTH_URL: `https://127.0.0.1:${(server.address() as AddressInfo).port}/v3` }
        const refused = await ourNeutron(safe)('net-list')
        assert.equal(refused.code, 1)
        assert.match(refused.err, /self-signed certificate/)
        assert.match((await ourNeutron({ ...safe, OS_CACERT: cert })('net-list')).out, /private/)
        assert.match((await ourNeutron(safe)(`--os-cacert ${cert} net-list`)).out, /private/)
        assert.match((await ourNeutron(safe)('--insecure net-list')).out, /private/)
      } finally {
        server.close()
        server.closeAllConnections()
      }
    },
  },
]
