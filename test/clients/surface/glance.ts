import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import type { OpenstackClient } from '../session.ts'

export type GlanceStep = { name: string; run(client: OpenstackClient, world: GlanceWorld): Promise<void> }
export type GlanceWorld = { folder: string; demoProject: string; demo: OpenstackClient; source: string }

/** What stands beside a name in the table that glance prints. */
const cell = (table: string, name: string): string | undefined =>
  new RegExp(`^\\| ${name.replace(/[.*+?^$()|[\]\\]/g, '\\$&')} +\\| (.*?) *\\|`, 'm').exec(table)?.[1]

const create = async (client: OpenstackClient, options: string) => {
  const id = cell(await client.run(`image-create --disk-format raw --container-format bare ${options}`), 'id')
  assert.ok(id)
  return id
}

async function reach(client: OpenstackClient, id: string, status: string): Promise<void> {
  for (let tries = 0, now = ''; now !== status; tries++) {
    now = cell(await client.run(`image-show ${id}`), 'status') ?? ''
    assert.ok(tries < 300 && now !== 'killed', `${id} is ${now}, not ${status}`)
  }
}

/** Every command of Debian's glance. */
export const glanceSteps: GlanceStep[] = [
  {
    name: 'image, tag, bytes',
    async run(client, { folder }) {
      writeFileSync(`${folder}/bytes`, Buffer.alloc(50_000, 3))
      const id = await create(client, '--name gi')
      await client.run(`image-upload --file ${folder}/bytes ${id}`)
      await client.run(`image-update --name gj --property a=b ${id}`)
      await client.run(`image-tag-update ${id} blue`)
      assert.match(await client.run('image-list --tag blue'), new RegExp(id))
      await client.run(`image-tag-delete ${id} blue`)
      await client.run(`image-download --file ${folder}/got ${id}`)
      assert.deepEqual(readFileSync(`${folder}/got`), readFileSync(`${folder}/bytes`))
      await client.run(`image-deactivate ${id}`)
      assert.equal(cell(await client.run(`image-show ${id}`), 'status'), 'deactivated')
      await client.run(`image-reactivate ${id}`)
      assert.match(await client.run('usage'), /Quota/)
      assert.match(await client.run('explain image'), /container_format/)
      await client.run(`image-delete ${id}`)
      assert.equal((await client.attempt(`image-show ${id}`)).code, 1)
    },
  },
  {
    name: 'import, stage, stores, tasks',
    async run(client, { folder, source }) {
      writeFileSync(`${folder}/bytes`, Buffer.alloc(50_000, 4))
      assert.match(await client.run('import-info'), /web-download/)
      assert.match(await client.run('stores-info'), /second/)
      const id = await create(client, '--name gk')
      await client.run(`image-stage --file ${folder}/bytes ${id}`)
      await client.run(`image-import --import-method glance-direct --stores local,second ${id}`)
      await reach(client, id, 'active')
      assert.match(await client.run(`image-tasks ${id}`), /success|processing/)
      for (let tries = 0; cell(await client.run(`image-show ${id}`), 'stores') !== 'local,second'; tries++) assert.ok(tries < 300)
      await client.run(`stores-delete --store second ${id}`)
      assert.equal(cell(await client.run(`image-show ${id}`), 'stores'), 'local')
      const made = await client.run(
        `image-create-via-import --disk-format raw --container-format bare --name gl --import-method web-download --uri ${source}`,
      )
      const other = cell(made, 'id')!
      await reach(client, other, 'active')
      const input = JSON.stringify({
        import_from: source,
        import_from_format: 'raw',
        image_properties: { name: 'by task', disk_format: 'raw', container_format: 'bare' },
      })
      const task = cell(await client.run(['task-create', '--type', 'import', '--input', input]), 'id')!
      assert.match(await client.run('task-list'), new RegExp(task))
      for (let tries = 0; cell(await client.run(`task-show ${task}`), 'status') !== 'success'; tries++) assert.ok(tries < 300)
      await client.run(`image-delete ${id} ${other}`)
    },
  },
  {
    name: 'members',
    async run(client, { demoProject, demo }) {
      const id = await create(client, '--name gm --visibility shared')
      await client.run(`member-create ${id} ${demoProject}`)
      await demo.run(`member-update ${id} ${demoProject} accepted`)
      assert.match(await client.run(`member-list --image-id ${id}`), /accepted/)
      assert.match(await client.run(`member-get ${id} ${demoProject}`), /accepted/)
      await client.run(`member-delete ${id} ${demoProject}`)
      await client.run(`image-delete ${id}`)
    },
  },
  {
    name: 'cache',
    async run(client, { folder }) {
      writeFileSync(`${folder}/bytes`, Buffer.alloc(1000, 4))
      const id = await create(client, `--name gn --file ${folder}/bytes`)
      await client.run(`cache-queue ${id}`)
      assert.match(await client.run('cache-list'), new RegExp(id))
      await client.run(`cache-delete ${id}`)
      await client.run('cache-clear --target both')
      await client.run(`image-delete ${id}`)
    },
  },
  {
    name: 'catalogue: namespaces, objects, properties, tags, types of resources',
    async run(client, { folder }) {
      await client.run('md-namespace-create --display-name one --visibility private W::N')
      await client.run('md-namespace-update --display-name two W::N')
      assert.equal(cell(await client.run('md-namespace-show W::N'), 'display_name'), 'two')
      assert.match(await client.run('md-namespace-list'), /W::N/)
      const schema = JSON.stringify({ title: 'P', type: 'string', description: 'what' })
      await client.run(['md-property-create', '--name', 'p1', '--title', 'P', '--schema', schema, 'W::N'])
      await client.run(['md-property-update', '--title', 'Q', 'W::N', 'p1'])
      assert.equal(cell(await client.run('md-property-show W::N p1'), 'title'), 'Q')
      assert.match(await client.run('md-property-list W::N'), /p1/)
      const object = JSON.stringify({ description: 'what', properties: { o1p: { title: 'T', type: 'string' } } })
      await client.run(['md-object-create', '--name', 'o1', '--schema', object, 'W::N'])
      await client.run(['md-object-update', '--schema', object.replace('what', 'else'), 'W::N', 'o1'])
      assert.equal(cell(await client.run('md-object-show W::N o1'), 'description'), 'else')
      assert.match(await client.run('md-object-list W::N'), /o1/)
      assert.match(await client.run('md-object-property-show W::N o1 o1p'), /T/)
      // With --append Debian's glance fails before it asks.
      await client.run('md-tag-create-multiple --names t2,t3 W::N')
      await client.run('md-tag-create --name t1 W::N')
      await client.run('md-tag-update --name t4 W::N t3')
      assert.match(await client.run('md-tag-show W::N t4'), /t4/)
      assert.match(await client.run('md-tag-list W::N'), /t1[\s\S]*t2/)
      await client.run('md-tag-delete W::N t1')
      assert.match(await client.run('md-resource-type-list'), /OS::Nova::Flavor/)
      await client.run('md-resource-type-associate --name OS::Nova::Flavor --prefix w W::N')
      assert.match(await client.run('md-namespace-resource-type-list W::N'), /OS::Nova::Flavor/)
      await client.run('md-resource-type-deassociate W::N OS::Nova::Flavor')
      await client.run('md-property-delete W::N p1')
      await client.run('md-object-delete W::N o1')
      await client.run('md-namespace-objects-delete W::N')
      await client.run('md-namespace-properties-delete W::N')
      await client.run('md-namespace-tags-delete W::N')
      await client.run('md-namespace-delete W::N')
      writeFileSync(
        `${folder}/namespace.json`,
        JSON.stringify({ namespace: 'W::M', display_name: 'brought', visibility: 'private' }),
      )
      await client.run(`md-namespace-import --file ${folder}/namespace.json`)
      assert.equal(cell(await client.run('md-namespace-show W::M'), 'display_name'), 'brought')
      await client.run('md-namespace-delete W::M')
    },
  },
]
