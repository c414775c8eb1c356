/**
 * Runs for a moment inside a network namespace: opens a listening socket there and hands it to the process that started it. A process
 * cannot enter a namespace in Node, but a socket stays in the one it was made in, whoever holds it.
 */
import { createServer } from 'node:net'

const [ip = '', port = ''] = process.argv.slice(2)
const server = createServer()
server.on('error', (error) => {
  process.send?.({ error: error.message }, undefined, undefined, () => process.exit(1))
})
server.listen({ host: ip, port: Number(port), exclusive: true }, () => {
  process.send?.({ listening: true }, server)
})
process.on('message', () => process.exit(0))
process.on('disconnect', () => process.exit(0))
