import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathOnDrive } from './config-drive.ts'

test('files of the drive stay on the drive', () => {
  assert.equal(pathOnDrive('/d', 'openstack/latest/meta_data.json'), '/d/openstack/latest/meta_data.json')
  assert.equal(pathOnDrive('/d', '/abs'), '/d/abs')
  for (const bad of ['..', '../x', 'a/../../x', '', 'a\0b']) assert.throws(() => pathOnDrive('/d', bad), /bad name/)
})
