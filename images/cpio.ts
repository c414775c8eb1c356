export type CpioEntry = { path: string } & (
  | { kind: 'dir' }
  | { kind: 'link'; to: string }
  | { kind: 'file'; content: Buffer; executable?: boolean }
)

/** Permissions and type of a file as stat(2) gives them. */
const modeOf = (entry: CpioEntry): number => {
  if (entry.kind === 'dir') return 0o040755
  if (entry.kind === 'link') return 0o120777
  return entry.executable ? 0o100755 : 0o100644
}

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])

function record(path: string, mode: number, content: Buffer, inode: number): Buffer {
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, Buffer.byteLength(path) + 1, 0]
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${path}\0`
  return Buffer.concat([padded(Buffer.from(header)), padded(content)])
}

/** An archive the kernel unpacks as its first root (the "newc" format of cpio(5)), everything owned by root. A folder comes before what is in it. */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const content = (entry: CpioEntry) =>
    entry.kind === 'file' ? entry.content : Buffer.from(entry.kind === 'link' ? entry.to : '')
  return Buffer.concat([
    ...entries.map((entry, index) => record(entry.path, modeOf(entry), content(entry), index + 1)),
    record('TRAILER!!!', 0, Buffer.alloc(0), 0),
  ])
}
