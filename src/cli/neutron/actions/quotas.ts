import type { Row } from '../../output.ts'
import type { Option } from '../arguments.ts'
import { type Ask, type Command, showOne } from '../command.ts'
import { Unclear } from '../extra.ts'
import { oneOutput } from '../output-options.ts'
import { tenantOptions, tenantWord } from './words.ts'

const tenantOf = async ({ cloud, values }: Ask) =>
  String(values['pos_tenant_id'] ?? values['tenant_id'] ?? (await cloud.session()).projectId)

export const quotaShow = (which: '' | '/default'): Command => ({
  summary: which === '' ? "Show a project's quota." : 'Show the quota projects have when nothing is set.',
  syntax: { positionals: [tenantWord], options: [...oneOutput, ...tenantOptions] },
  async run(ask) {
    const { quota } = await ask.cloud.call<{ quota: Row }>('GET', `/quotas/${encodeURIComponent(await tenantOf(ask))}${which}`)
    await showOne(ask, quota)
  },
})

const limits = [
  ...['network', 'subnet', 'port', 'router', 'floatingip', 'security-group', 'security-group-rule', 'vip', 'pool', 'member'],
  ...['health-monitor', 'loadbalancer', 'listener', 'rbac-policy'],
]

const limitKey = (name: string) => (name === 'health-monitor' ? 'healthmonitor' : name.replaceAll('-', '_'))

export const quotaUpdate: Command = {
  summary: "Change a project's quota.",
  isOpen: true,
  syntax: {
    positionals: [tenantWord],
    options: [
      ...oneOutput,
      ...tenantOptions,
      ...limits.map(
        (name): Option => ({ flag: `--${name}`, key: limitKey(name), kind: 'text', help: `how many of kind ${name}` }),
      ),
    ],
  },
  async run(ask) {
    const given = limits.map(limitKey).filter((key) => ask.values[key] !== undefined)
    const quota = Object.fromEntries(given.map((key) => [key, wholeNumber(key, String(ask.values[key]))]))
    const body = { quota: { ...quota, ...ask.extra } }
    if (given.length === 0) throw new Unclear('Must specify a valid resource with new quota value')
    const path = `/quotas/${encodeURIComponent(await tenantOf(ask))}`
    await showOne(ask, (await ask.cloud.call<{ quota: Row }>('PUT', path, { body })).quota)
  },
}

function wholeNumber(name: string, text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text)
  throw new Unclear(`Quota limit for ${name} must be an integer`)
}

export const quotaDelete: Command = {
  summary: 'Give a project the default quota again.',
  syntax: { positionals: [tenantWord], options: tenantOptions },
  async run(ask) {
    const tenant = await tenantOf(ask)
    await ask.cloud.call('DELETE', `/quotas/${encodeURIComponent(tenant)}`)
    ask.say(`Deleted quota: ${tenant}\n`)
  },
}
