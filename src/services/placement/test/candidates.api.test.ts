import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allocate, id, provider, type World, world } from './world.ts'

type Found = {
  allocation_requests: {
    allocations: Record<string, { resources: Record<string, number> }>
    mappings?: Record<string, string[]>
  }[]
}

const short = (uuid: string) => String(Number(uuid.slice(-12)))

/** Each candidate as `1:VCPU=1 2:DISK_GB=5`, in order. */
const ask = async ({ at }: World, query: string, version = '1.39') => {
  const { status, body } = await at(version).get(`/allocation_candidates?${query}`)
  if (status !== 200) return status
  return (body as Found).allocation_requests
    .map(({ allocations }) =>
      Object.entries(allocations)
        .map(
          ([uuid, { resources }]) => `${short(uuid)}:${Object.entries(resources).map(([name, amount]) => `${name}=${amount}`)}`,
        )
        .sort()
        .join(' '),
    )
    .sort()
}

test('each host with room is a candidate, with a summary in the words of the version', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1, stock: { VCPU: 4, MEMORY_MB: 1024 }, traits: ['CUSTOM_A'] })
  await provider(w, { number: 2, stock: { VCPU: 4, MEMORY_MB: 256 } })
  await allocate(w, 50, 1, { VCPU: 1 })
  assert.deepEqual(await ask(w, 'resources=VCPU:3,MEMORY_MB:512'), ['1:VCPU=3,MEMORY_MB=512'])
  assert.deepEqual(await ask(w, 'resources=VCPU:3'), ['1:VCPU=3', '2:VCPU=3'])
  assert.equal(((await ask(w, 'resources=VCPU:3&limit=1')) as string[]).length, 1)
  const { body } = await w.at('1.39').get('/allocation_candidates?resources=VCPU:3&required=CUSTOM_A')
  assert.deepEqual(body.provider_summaries, {
    [id(1)]: {
      resources: { MEMORY_MB: { capacity: 1024, used: 0 }, VCPU: { capacity: 4, used: 1 } },
      traits: ['CUSTOM_A'],
      parent_provider_uuid: null,
      root_provider_uuid: id(1),
    },
  })
  assert.deepEqual(body.allocation_requests[0].mappings, { '': [id(1)] })
  const old = await w.at('1.10').get('/allocation_candidates?resources=VCPU:4')
  assert.deepEqual(old.body, {
    allocation_requests: [{ allocations: [{ resource_provider: { uuid: id(2) }, resources: { VCPU: 4 } }] }],
    provider_summaries: { [id(2)]: { resources: { VCPU: { capacity: 4, used: 0 } } } },
  })
})

test('what a candidate says can be allocated as it stands', async (t) => {
  const w = await world(t)
  await provider(w, { number: 1, stock: { VCPU: 4 } })
  const { body } = await w.at('1.39').get('/allocation_candidates?resources=VCPU:2')
  const more = { project_id: 'p', user_id: 'u', consumer_generation: null, consumer_type: 'INSTANCE' }
  const taken = await w.at('1.39').put(`/allocations/${id(50)}`, { ...body.allocation_requests[0], ...more })
  assert.equal(taken.status, 204)
})

/** 1 has VCPU; below it 2 and 3 with VFs, 3 is fast; 10 is another host alike; 20 shares its disk with both. */
async function trees(w: World) {
  await provider(w, { number: 1, stock: { VCPU: 8, MEMORY_MB: 1024 }, aggregates: [101] })
  await provider(w, { number: 2, parent: 1, stock: { SRIOV_NET_VF: 4 } })
  await provider(w, { number: 3, parent: 1, stock: { SRIOV_NET_VF: 2 }, traits: ['CUSTOM_FAST'] })
  await provider(w, { number: 10, stock: { VCPU: 8, MEMORY_MB: 1024 }, aggregates: [102], traits: ['CUSTOM_ROOT'] })
  await provider(w, { number: 20, stock: { DISK_GB: 100 }, traits: ['MISC_SHARES_VIA_AGGREGATE'], aggregates: [101, 102] })
}

test('a group without suffix takes from a whole tree and from what shares with it; traits count together', async (t) => {
  const w = await world(t)
  await trees(w)
  assert.deepEqual(await ask(w, 'resources=VCPU:1,SRIOV_NET_VF:1'), ['1:VCPU=1 2:SRIOV_NET_VF=1', '1:VCPU=1 3:SRIOV_NET_VF=1'])
  assert.deepEqual(await ask(w, 'resources=VCPU:1,SRIOV_NET_VF:1', '1.28'), [])
  assert.deepEqual(await ask(w, 'resources=VCPU:1,SRIOV_NET_VF:1&required=CUSTOM_FAST'), ['1:VCPU=1 3:SRIOV_NET_VF=1'])
  assert.deepEqual(await ask(w, 'resources=VCPU:1,SRIOV_NET_VF:1&required=!CUSTOM_FAST'), ['1:VCPU=1 2:SRIOV_NET_VF=1'])
  assert.deepEqual(await ask(w, 'resources=VCPU:1,SRIOV_NET_VF:4&required=CUSTOM_FAST'), [])
  assert.deepEqual(await ask(w, 'resources=VCPU:1,DISK_GB:10'), ['10:VCPU=1 20:DISK_GB=10', '1:VCPU=1 20:DISK_GB=10'])
  assert.deepEqual(await ask(w, 'resources=VCPU:1,DISK_GB:10', '1.28'), ['10:VCPU=1 20:DISK_GB=10', '1:VCPU=1 20:DISK_GB=10'])
  assert.deepEqual(await ask(w, `resources=VCPU:1,DISK_GB:10&member_of=${id(102)}`), ['10:VCPU=1 20:DISK_GB=10'])
  assert.deepEqual(await ask(w, `resources=VCPU:1&member_of=!${id(102)}`), ['1:VCPU=1'])
  assert.deepEqual(await ask(w, `resources=VCPU:1&in_tree=${id(2)}`), ['1:VCPU=1'])
  assert.deepEqual(await ask(w, `resources=VCPU:1,DISK_GB:1&in_tree=${id(2)}`), [])
  assert.deepEqual(await ask(w, `resources=VCPU:1&in_tree=${id(99)}`), [])
  assert.deepEqual(await ask(w, 'resources=VCPU:1&root_required=CUSTOM_ROOT'), ['10:VCPU=1'])
  assert.deepEqual(await ask(w, 'resources=VCPU:1&root_required=!CUSTOM_ROOT'), ['1:VCPU=1'])
  assert.deepEqual(await ask(w, 'resources=VCPU:1,MEMORY_MB:1&required=in:CUSTOM_ROOT,CUSTOM_FAST'), ['10:VCPU=1,MEMORY_MB=1'])
})

test('groups with a suffix are each met by one provider: apart, or added up, or below one another', async (t) => {
  const w = await world(t)
  await trees(w)
  const two = 'resources=VCPU:1&resources1=SRIOV_NET_VF:1&resources2=SRIOV_NET_VF:1'
  assert.equal(await ask(w, two), 400)
  assert.deepEqual(await ask(w, `${two}&group_policy=isolate`), [
    '1:VCPU=1 2:SRIOV_NET_VF=1 3:SRIOV_NET_VF=1',
    '1:VCPU=1 2:SRIOV_NET_VF=1 3:SRIOV_NET_VF=1',
  ])
  assert.deepEqual(await ask(w, `${two}&group_policy=none`), [
    '1:VCPU=1 2:SRIOV_NET_VF=1 3:SRIOV_NET_VF=1',
    '1:VCPU=1 2:SRIOV_NET_VF=1 3:SRIOV_NET_VF=1',
    '1:VCPU=1 2:SRIOV_NET_VF=2',
    '1:VCPU=1 3:SRIOV_NET_VF=2',
  ])
  const much = 'resources1=SRIOV_NET_VF:2&resources2=SRIOV_NET_VF:2&group_policy=none'
  assert.deepEqual(await ask(w, much), [
    '2:SRIOV_NET_VF=2 3:SRIOV_NET_VF=2',
    '2:SRIOV_NET_VF=2 3:SRIOV_NET_VF=2',
    '2:SRIOV_NET_VF=4',
  ])
  const named = 'resources_C=VCPU:1&resources_N=SRIOV_NET_VF:1&required_N=CUSTOM_FAST&group_policy=none'
  assert.deepEqual(await ask(w, named), ['1:VCPU=1 3:SRIOV_NET_VF=1'])
  assert.deepEqual(await ask(w, `${named}&same_subtree=_C,_N`), ['1:VCPU=1 3:SRIOV_NET_VF=1'])
  const apart = 'resources_A=SRIOV_NET_VF:1&resources_B=SRIOV_NET_VF:1&group_policy=isolate'
  assert.deepEqual(await ask(w, `${apart}&same_subtree=_A,_B`), [])
  const above = `${apart}&required_R=!CUSTOM_ROOT&in_tree_R=${id(1)}&same_subtree=_A,_B,_R`
  assert.deepEqual(await ask(w, above), ['2:SRIOV_NET_VF=1 3:SRIOV_NET_VF=1', '2:SRIOV_NET_VF=1 3:SRIOV_NET_VF=1'])
})

test('queries that say too little, too much or nonsense are refused', async (t) => {
  const w = await world(t)
  await trees(w)
  for (const [query, version] of [
    ['', '1.39'],
    ['resources=', '1.39'],
    ['resources=VCPU:1&limit=0', '1.39'],
    ['resources=VCPU:1&limit=2', '1.15'],
    ['resources=VCPU:1&required=CUSTOM_FAST', '1.16'],
    ['resources=VCPU:1&required=!CUSTOM_FAST', '1.21'],
    ['resources1=VCPU:1', '1.24'],
    ['resources_A=VCPU:1', '1.32'],
    ['resources=VCPU:1&in_tree=nonsense', '1.39'],
    ['resources=VCPU:1&required1=CUSTOM_FAST', '1.35'],
    ['resources=VCPU:1&required1=CUSTOM_FAST', '1.36'],
    ['resources=VCPU:1&required=CUSTOM_FAST,!CUSTOM_FAST', '1.39'],
    ['resources=VCPU:1&root_required=CUSTOM_FAST,!CUSTOM_FAST', '1.39'],
    ['resources=VCPU:1&same_subtree=_X', '1.39'],
    ['resources=VCPU:1&same_subtree=', '1.39'],
    ['resources=VCPU:1&group_policy=other', '1.39'],
    ['resources=NOPE:1', '1.39'],
    ['resources=VCPU:1&required=CUSTOM_NOPE', '1.39'],
  ] as const)
    assert.equal(await ask(w, query, version), 400, `${version} ${query}`)
  assert.equal(await ask(w, 'resources=VCPU:1', '1.9'), 404)
})
