import assert from 'node:assert/strict'
import { test } from 'node:test'
import { novaManage, serviceTable } from './nova-manage.ts'

test('services are listed in the columns packstack users know', () => {
  const at = Date.UTC(2014, 2, 26, 3, 24, 36) * 1000
  const rows = [
    { binary: 'nova-consoleauth', host: 'stack-kvm110', zone: 'internal', enabled: true, up: true, updatedAt: at },
    { binary: 'nova-compute', host: 'stack-01', zone: 'nova', enabled: false, up: false, updatedAt: undefined },
  ]
  assert.deepEqual(serviceTable(rows), [
    'Binary           Host                                 Zone             Status     State Updated_At',
    'nova-consoleauth stack-kvm110                         internal         enabled    :-)   2014-03-26 03:24:36',
    'nova-compute     stack-01                             nova             disabled   XXX   None      ',
  ])
})

test('a command that has no meaning here is answered with what to use instead', async () => {
  const said: string[] = []
  assert.equal(await novaManage(['cell', 'list'], undefined, (text: string) => said.push(text)), 2)
  assert.match(said.join('\n'), /openstack client/)
})
