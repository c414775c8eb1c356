import { main } from '../src/main/altostackd.ts'

await main(process.argv.slice(2))
