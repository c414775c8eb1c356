import { main } from '../src/deploy/main.ts'

process.exitCode = await main(process.argv.slice(2))
