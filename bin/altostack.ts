import { altostack } from '../src/cli/altostack.ts'

process.exitCode = await altostack(process.argv.slice(2))
