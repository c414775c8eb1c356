import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpio } from './cpio.ts'

/** Reads an archive back by the format's own rules. */
function unpack(archive: Buffer): { path: string; mode: string; content: string }[] {
  const found = []
  for (let at = 0; ; ) {
    assert.equal(archive.toString('latin1', at, at + 6), '070701')
    const field = (index: number) => Number.parseInt(archive.toString('latin1', at + 6 + 8 * index, at + 14 + 8 * index), 16)
    const [mode, size, nameSize] = [field(1), field(6), field(11)]
    const path = archive.toString('utf8', at + 110, at + 110 + nameSize - 1)
    const start = (at + 110 + nameSize + 3) & ~3
    if (path === 'TRAILER!!!') return found
    found.push({ path, mode: mode.toString(8), content: archive.toString('utf8', start, start + size) })
    at = (start + size + 3) & ~3
  }
}

test('folders, links and files come back as they went in, whatever their lengths', () => {
  const archive = cpio([
    { kind: 'dir', path: 'bin' },
    { kind: 'file', path: 'bin/a', content: Buffer.from('12345'), executable: true },
    { kind: 'file', path: 'bc', content: Buffer.from('') },
    { kind: 'link', path: 'sbin', to: 'bin' },
  ])
  assert.deepEqual(unpack(archive), [
    { path: 'bin', mode: '40755', content: '' },
    { path: 'bin/a', mode: '100755', content: '12345' },
    { path: 'bc', mode: '100644', content: '' },
    { path: 'sbin', mode: '120777', content: 'bin' },
  ])
})
