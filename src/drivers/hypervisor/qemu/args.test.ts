import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Guest } from '../driver.ts'
import { type ArgsOptions, bareArgs, qemuArgs } from './args.ts'
import { placeOf } from './place.ts'

const guest = (more: Partial<Guest> = {}): Guest => ({
  id: '11111111-2222-3333-4444-555555555555',
  name: 'web',
  vcpus: 2,
  memoryMb: 128,
  diskGb: 1,
  image: undefined,
  nics: [],
  configDrive: undefined,
  ...more,
})

const args = (more: Partial<Guest> = {}, options: Partial<ArgsOptions> = {}) =>
  qemuArgs(guest(more), {
    place: placeOf('/state', guest().id),
    accelerator: 'tcg',
    hasDisk: true,
    hasConfigDrive: false,
    owner: '4000:4000',
    paused: false,
    incoming: undefined,
    ...options,
  })

const after = (argv: string[], name: string) => argv.flatMap((arg, at) => (arg === name ? [argv[at + 1]] : []))

test('software emulation and KVM differ in accelerator, processor and eight KiB of memory only', () => {
  const [tcg, kvm] = [args(), args({}, { accelerator: 'kvm' })]
  assert.deepEqual([after(tcg, '-accel'), after(tcg, '-cpu')], [['tcg,tb-size=32'], ['max']])
  assert.deepEqual([after(kvm, '-accel'), after(kvm, '-cpu')], [['kvm'], ['host']])
  const [memory = ''] = after(tcg, '-m')
  assert.equal(Number(memory.replace(/k$/, '')), Number(after(kvm, '-m')[0]) * 1024 + 8)
  assert.deepEqual(
    tcg.filter((arg) => !kvm.includes(arg)),
    ['tcg,tb-size=32', 'max', memory],
  )
})

test('a name cannot become options', () => {
  assert.deepEqual(after(args({ name: 'a,debug-threads=off\n\u0000é' }), '-name'), [
    'guest=a,,debug-threads=off___,debug-threads=on',
  ])
})

test('network cards come in the order of the ports, each in its own slot, with spare ones behind', () => {
  const nic = (n: number) => ({ portId: `p${n}`, device: `tap${n}`, mac: `fa:16:3e:00:00:0${n}`, mtu: 1450 })
  const devices = after(args({ nics: [nic(1), nic(2)] }, { hasConfigDrive: true }), '-device').map((device) => `${device}`)
  const placed = devices.flatMap((device) => /^([^,]*),.*bus=(rp\d+)/.exec(device)?.slice(1, 3).join(' ') ?? [])
  assert.deepEqual(placed, ['virtio-blk-pci rp0', 'virtio-blk-pci rp1', 'virtio-net-pci rp2', 'virtio-net-pci rp3'])
  assert.equal(devices.filter((device) => device.startsWith('pcie-root-port')).length, 8)
  assert.ok(devices.some((device) => device.includes('mac=fa:16:3e:00:00:02,host_mtu=1450')))
})

test('a guest without disk has none', () => {
  assert.deepEqual(after(args({}, { hasDisk: false }), '-blockdev'), [])
})

test('paused and restored guests wait for their cue', () => {
  assert.ok(!args().includes('-S'))
  assert.ok(args({}, { paused: true }).includes('-S'))
  assert.deepEqual(after(args({}, { incoming: 'file' }), '-incoming'), ['fd:3'])
  assert.ok(args({}, { incoming: 'file' }).includes('-S'))
})

test('a guest that arrives waits for where from', () => {
  assert.deepEqual(after(args({}, { incoming: 'deferred' }), '-incoming'), ['defer'])
  assert.ok(args({}, { incoming: 'deferred' }).includes('-S'))
})

test('a disk that moves alone needs no machine, and no rights either', () => {
  const bare = bareArgs({ place: placeOf('/state', guest().id), hasDisk: true, owner: '4000:4000' })
  assert.deepEqual([after(bare, '-machine'), after(bare, '-runas')], [['none'], ['4000:4000']])
  assert.deepEqual(after(bare, '-blockdev'), after(args({}, { hasConfigDrive: false }), '-blockdev'))
  assert.deepEqual(after(bare, '-pidfile'), after(args(), '-pidfile'))
  assert.deepEqual(after(bareArgs({ place: placeOf('/state', guest().id), hasDisk: false, owner: undefined }), '-blockdev'), [])
})

test('QEMU gives up root and starts no program', () => {
  assert.deepEqual(after(args(), '-runas'), ['4000:4000'])
  assert.match(`${after(args(), '-sandbox')}`, /spawn=deny/)
  assert.deepEqual(after(args({}, { owner: undefined }), '-runas'), [])
})

test('the pid file that marks the process is the one of the guest', () => {
  assert.deepEqual(after(args(), '-pidfile'), [`/state/guests/${guest().id}/pid`])
})
