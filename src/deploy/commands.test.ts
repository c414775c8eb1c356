import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { commandLines, linkCommands, lookAtCommands, unlinkCommands } from './commands.ts'
import { everComputeHosts, forgetComputeHost, recordComputeHosts } from './hosts/compute-hosts.ts'
import { placeAt } from './place.ts'

test('commands are linked where nothing else has their name, again and again, and only our links are taken away', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'altostack-links-'))
  t.after(() => rm(root, { recursive: true }))
  const place = placeAt(root)
  for (const folder of [place.links, join(root, 'usr/bin')]) await mkdir(folder, { recursive: true })
  await writeFile(join(root, 'usr/bin/neutron'), '')
  await symlink('/elsewhere', join(place.links, 'altostack'))
  const step = linkCommands(place)
  assert.equal(await step.isDone(), false)
  await step.apply()
  assert.equal(await step.isDone(), true)
  assert.equal(await readlink(join(place.links, 'nova-manage')), join(place.program, 'bin/nova-manage'))
  assert.deepEqual(commandLines(await lookAtCommands(place)), [
    'Commands: packstack, nova-manage',
    `altostack is ${place.links}/altostack on this machine; that of this cloud is ${place.program}/bin/altostack`,
    `neutron is ${root}/usr/bin/neutron on this machine; that of this cloud is ${place.program}/bin/neutron`,
  ])
  await writeFile(join(root, 'usr/bin/nova-manage'), '')
  assert.equal(await step.isDone(), false)
  await step.apply()
  assert.deepEqual(
    (await lookAtCommands(place)).filter(({ isLinked }) => isLinked).map(({ name }) => name),
    ['packstack'],
  )
  await unlinkCommands(place)
  assert.equal(await readlink(join(place.links, 'altostack')), '/elsewhere')
  await assert.rejects(readlink(join(place.links, 'packstack')))
})

test('a compute host is remembered as one until it is removed', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'altostack-ever-'))
  t.after(() => rm(root, { recursive: true }))
  const place = placeAt(root)
  await mkdir(place.config, { recursive: true })
  await recordComputeHosts(place, ['h1', 'h2'])
  await recordComputeHosts(place, ['h2'])
  assert.deepEqual(await everComputeHosts(place), ['h1', 'h2'])
  await forgetComputeHost(place, 'h1')
  assert.deepEqual(await everComputeHosts(place), ['h2'])
})
