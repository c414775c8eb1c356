import type { Vm } from '../document.ts'

/** A guest for tests: on, as it was first asked for. */
export const sampleVm = (more: Partial<Vm> = {}): Vm => ({
  id: 'a',
  generation: 1,
  name: 'web',
  vcpus: 1,
  memoryMb: 64,
  diskGb: 0,
  image: undefined,
  power: 'on',
  boots: 1,
  softBoots: 0,
  graceSeconds: 60,
  nics: [],
  configDrive: undefined,
  requestId: 'req-1',
  ...more,
})
