/** One process of the quick tests: runs the files it is named in itself, and sends node:test's events to its parent. */
import { run } from 'node:test'

const tell = (event: unknown) => new Promise<void>((resolve) => process.send?.(event, () => resolve()))

const events = run({ files: process.argv.slice(2), isolation: 'none' })
for await (const event of events) if (/^test:(pass|fail|diagnostic|summary|start)$/.test(event.type)) await tell(event)
process.disconnect()
