import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseKernel, parseUris } from './download.ts'

test('apt’s list of what it would fetch is read', () => {
  const hash = 'a'.repeat(64)
  const text = `'http://mirror/pool/b/busybox/busybox-static_1.35%2bb1_amd64.deb' busybox-static_1%3a1.35+b1_amd64.deb 928188 SHA256:${hash}\n`
  assert.deepEqual(parseUris(`N: a note\n${text}`), [
    { name: 'busybox-static', file: 'busybox-static_1%3a1.35+b1_amd64.deb', sha256: hash },
  ])
})

test('the kernel is the one the meta package depends on', () => {
  assert.equal(
    parseKernel('linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-50-cloud-amd64\n'),
    'linux-image-6.1.0-50-cloud-amd64',
  )
  assert.throws(() => parseKernel('linux-image-cloud-amd64\n'), /no kernel/)
})
