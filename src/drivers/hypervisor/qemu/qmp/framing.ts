/** The longest answer of QEMU that we ask for has a few hundred KiB. */
const longest = 16 << 20

/** Cuts a stream into lines, as QMP separates its messages. Feed it decoded text; it gives the lines that became whole. */
export function lineSplitter(): (chunk: string) => string[] {
  let rest = ''
  return (chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > longest) throw new Error('QMP: a message without end')
    return lines.map((line) => line.trim()).filter((line) => line !== '')
  }
}
