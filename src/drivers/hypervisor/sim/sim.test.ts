import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock } from '../../../kit/clock.ts'
import { uuid } from '../../../kit/ids.ts'
import { driverSuite, runCase, type Subject } from '../suite.ts'
import { moveSuite } from '../suite-moves.ts'
import { simEvent, simHost, simRoads } from './host.ts'
import { openSim } from './sim.ts'

/** The host whose one missing device is what the suite asks for. */
const simSubject = (): Subject => {
  const roads = simRoads()
  const host = simHost({ missingDevice: 'nosuchdev0' }, roads)
  const another = simHost({}, roads)
  const clock = fakeClock()
  return {
    open: async () => openSim({ host, clock }),
    other: async () => openSim({ host: another, clock }),
    guest: () => ({
      id: uuid(),
      name: 'sim',
      vcpus: 1,
      memoryMb: 64,
      diskGb: 1,
      image: undefined,
      nics: [],
      configDrive: undefined,
    }),
    booted: async () => {},
    kill: async (_, id) => simEvent(host, id, 'dies'),
    until: async (what, holds) => assert.ok(await holds(), what),
  }
}

for (const one of [...driverSuite, ...moveSuite]) test(`sim: ${one.name}`, () => runCase(one, simSubject()))
