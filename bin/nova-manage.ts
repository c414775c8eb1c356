import { novaManage } from '../src/cli/nova-manage/main.ts'

process.exitCode = await novaManage(process.argv.slice(2))
