import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Departure, Move, MoveSeen, Vm, VmSeen } from '../../../src/agents/document.ts'
import { uuid } from '../../../src/kit/ids.ts'
import { until } from '../hypervisor/world.ts'
import type { Host } from './hosts.ts'

/** Where a guest is and what is wanted of it: what a controller knows. */
export type Traveller = {
  vm: Vm
  at: Host
  other: Host
  /** From when the source is told until it has left, on this machine today. */
  usualMs: number
}

export type Trip = {
  traveller: Traveller
  kind?: Move['kind']
  /** What happens once the source was told. */
  meanwhile?(move: Move): Promise<void>
  /** What the source is told otherwise. */
  told?: Partial<Departure>
  /** The move is taken back after `meanwhile`. */
  takenBack?: boolean
}

/** Asks for something new of a guest, and waits until it is so. */
export async function ask(traveller: Traveller, more: Partial<Vm> = {}): Promise<VmSeen> {
  const vm = { ...traveller.vm, ...more, generation: traveller.vm.generation + 1 }
  traveller.vm = vm
  await traveller.at.want(vm)
  let seen: VmSeen | undefined
  const what = `${traveller.at.name} has generation ${vm.generation}, ${vm.power}`
  await until(what, async () => {
    seen = await traveller.at.seen(vm.id)
    return seen?.generation === vm.generation && seen.power === vm.power
  })
  return seen as VmSeen
}

const moveOf = async (host: Host, { id }: Vm, move: Move): Promise<MoveSeen | undefined> => {
  const seen = (await host.seen(id))?.move
  return seen?.id === move.id ? seen : undefined
}

/** Plays the controller of one move to its end: the guest is where it should be in the end, running and alone. Tells how it ended. */
export async function travel({ traveller, kind = 'live', meanwhile, told, takenBack }: Trip): Promise<MoveSeen> {
  const { at: from, other: to } = traveller
  const move: Move = { id: uuid(), kind, key: randomBytes(32).toString('hex') }
  const vm = { ...traveller.vm, generation: traveller.vm.generation + 1 }
  traveller.vm = vm
  await to.want({ ...vm, arrives: move })
  await until(`${to.name} listens`, async () => (await moveOf(to, vm, move))?.at === 'open')
  const { memoryPort, diskPort } = (await moveOf(to, vm, move)) as MoveSeen
  await from.want({ ...vm, leaves: { ...move, address: to.address, memoryPort, diskPort, forced: false, ...told } })
  await meanwhile?.(move)
  if (takenBack) await from.want({ ...vm, generation: vm.generation + 1 })
  let end: MoveSeen | undefined
  await until('an end', async () => {
    end = await moveOf(from, vm, move)
    return end?.at === 'left' || end?.at === 'failed'
  })
  assert.ok(end)
  await conclude(traveller, end.at === 'left')
  return end
}

/** Both hosts are told whose the guest is now. */
async function conclude(traveller: Traveller, hasLeft: boolean): Promise<void> {
  const { at: from, other: to, vm } = traveller
  if (hasLeft) Object.assign(traveller, { at: to, other: from })
  await ask(traveller)
  await traveller.other.want()
  await until(`${traveller.other.name} forgets it`, async () => (await traveller.other.seen(vm.id)) === undefined)
  await until(`${traveller.other.name} has no process`, async () => (await traveller.other.pid(vm.id)) === 0)
}
