import { novaManage } from '../src/cli/nova-manage.ts'

process.exitCode = await novaManage(process.argv.slice(2))
