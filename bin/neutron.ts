import { neutron } from '../src/cli/neutron/main.ts'

const { stdout, stderr } = process
// A reader that goes away (`| head -1`) is no error.
stdout.on('error', () => process.exit(0))
process.exitCode = await neutron(process.argv.slice(2), {
  out: (text) => void stdout.write(text),
  err: (text) => void stderr.write(text),
  env: process.env,
})
