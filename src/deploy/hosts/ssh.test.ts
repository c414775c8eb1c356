import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import ssh2 from 'ssh2'
import { openShell, type ShellNeeds } from './ssh.ts'

/** A server on loopback that knows the password `right` and the given public key, and five commands. */
async function sshServer(t: TestContext, publicKey?: string): Promise<number> {
  const { private: hostKey } = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 })
  const known = publicKey === undefined ? undefined : ssh2.utils.parseKey(publicKey)
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on('error', () => {})
    client.on('authentication', (ask) => {
      if (ask.method === 'password' && ask.password === 'right') return ask.accept()
      const isKnown =
        known && !(known instanceof Error) && ask.method === 'publickey' && ask.key.data.equals(known.getPublicSSH())
      return isKnown ? ask.accept() : ask.reject(['password', 'publickey'])
    })
    client.on('session', (accept) =>
      accept().on('exec', (accept, _, { command }) => {
        const channel = accept()
        if (command === 'drop') return void client.end()
        if (command === 'silent') return
        if (command === 'early') {
          channel.exit(9)
          return void channel.end()
        }
        channel.stderr.write('careful')
        channel.pipe(channel, { end: false })
        channel.on('end', () => {
          channel.exit(command === 'fail' ? 3 : 0)
          channel.end()
        })
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

const needs = (port: number, more: Partial<ShellNeeds> = {}): ShellNeeds => ({
  address: '127.0.0.1',
  port,
  user: 'root',
  keyFiles: [],
  isKnown: async () => true,
  ...more,
})

test('a password opens; commands take input, give lines, codes and errors', async (t) => {
  const port = await sshServer(t)
  const { shell, usedPassword } = await openShell(needs(port, { password: async () => 'right' }))
  t.after(shell.close)
  assert.ok(usedPassword)
  const lines: string[] = []
  const said = await shell.run('echo', { input: 'one\ntwo\nrest', onLine: (line) => lines.push(line) })
  assert.deepEqual(said, { code: 0, stdout: 'one\ntwo\nrest', stderr: 'careful' })
  assert.deepEqual(lines, ['one', 'two'])
  assert.equal((await shell.run('fail', { input: Readable.from([Buffer.from('x')]) })).code, 3)
  assert.equal((await shell.run('early', { input: new Readable({ read() {} }) })).code, 9)
  await assert.rejects(shell.run('silent', { timeoutMs: 50 }), /said nothing for/)
  await assert.rejects(shell.run('drop', { input: new Readable({ read() {} }) }), /lost|reset|end/i)
})

test('a key opens without a question; a broken key file is passed over', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'altostack-ssh-'))
  t.after(() => rm(folder, { recursive: true }))
  const pair = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 })
  await writeFile(join(folder, 'good'), pair.private)
  await writeFile(join(folder, 'broken'), 'no key')
  const port = await sshServer(t, pair.public)
  const { shell, usedPassword } = await openShell(
    needs(port, { keyFiles: ['broken', 'absent', 'good'].map((name) => join(folder, name)) }),
  )
  shell.close()
  assert.ok(!usedPassword)
})

test('what stands in the way is said with the host’s name', async (t) => {
  const port = await sshServer(t)
  await assert.rejects(openShell(needs(port)), /^Error: 127\.0\.0\.1: no key opens it for root/)
  await assert.rejects(openShell(needs(port, { password: async () => 'wrong' })), /the password of root is wrong/)
  await assert.rejects(
    openShell(needs(port, { isKnown: async () => false, password: async () => 'right' })),
    /^Error: 127\.0\.0\.1: /,
  )
  await assert.rejects(openShell(needs(1)), /nobody listens on port/)
})
