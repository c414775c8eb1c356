import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import type { OpenstackClient } from '../session.ts'
import type { Row, Step } from './identity.ts'

const names = async (client: OpenstackClient, command: string) => (await client.json<Row[]>(command)).map((row) => row['Name'])

/** The ten commands that Debian's openstack has for images. */
export const imageSteps: Step[] = [
  {
    name: 'image and its members',
    async run(client, { folder, other }) {
      writeFileSync(`${folder}/bytes`, Buffer.alloc(70_000, 5))
      const { id } = await client.json<Row>(
        `image create --disk-format raw --container-format bare --file ${folder}/bytes --property a=b --tag t1 wi`,
      )
      await client.run('image set --name wj --min-disk 1 --property c=d --shared wi')
      await client.run('image unset --tag t1 --property a wj')
      const shown = await client.json<Row>('image show wj')
      assert.deepEqual([shown['min_disk'], shown['tags']], [1, []])
      assert.deepEqual(await names(client, 'image list --property c=d'), ['wj'])
      await client.run(`image save --file ${folder}/back wj`)
      assert.deepEqual(readFileSync(`${folder}/back`), readFileSync(`${folder}/bytes`))
      await client.run(`image add project ${id} demo`)
      await other({ OS_USERNAME: 'demo', OS_PROJECT_NAME: 'demo' }).run(`image set --accept ${id}`)
      assert.equal((await client.json<Row[]>(`image member list ${id}`))[0]?.['Status'], 'accepted')
      await client.run(`image remove project ${id} demo`)
      await client.run('image delete wj')
    },
  },
]
