import { Problem } from '../../../kit/errors.ts'

type Rule = { type: 'int'; min?: number; max?: number } | { type: 'bool' } | { type: 'text'; pattern?: RegExp; words?: string[] }

const int = (min?: number, max?: number): Rule => ({
  type: 'int',
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
})
const bool: Rule = { type: 'bool' }
const text = (pattern?: RegExp): Rule => ({ type: 'text', ...(pattern ? { pattern } : {}) })
const oneOf = (...words: string[]): Rule => ({ type: 'text', words })

const cpuList = /^\^?\d+(-\d+)?(,\^?\d+(-\d+)?)*$/
const group = '(?:[0-9]+|_[a-zA-Z0-9_-]+|[a-zA-Z0-9_-]{1,64})?'
const standardResources =
  'VCPU|MEMORY_MB|DISK_GB|PCI_DEVICE|SRIOV_NET_VF|NUMA_[A-Z_]+|IPV4_ADDRESS|VGPU[A-Z_]*|PCPU|MEM_ENCRYPTION_CONTEXT|FPGA|PGPU|NET_[A-Z_]+'

/** Names that flavors' extra specs may have within the namespaces that are known (the "Extra Specs" reference, from 2.86). */
const rules: [RegExp, Rule][] = [
  [/^accel:device_profile$/, text()],
  [/^aggregate_instance_extra_specs:.+$/, text()],
  [/^capabilities:.+$/, text()],
  [/^hide_hypervisor_id$/, bool],
  [/^group_policy$/, oneOf('isolate', 'none')],
  [
    /^hw:(cpu_realtime|hide_hypervisor_id|locked_memory|boot_menu|vif_multiqueue_enabled|mem_encryption|pmu|ephemeral_encryption)$/,
    bool,
  ],
  [/^hw:(cpu_realtime_mask|cpu_dedicated_mask|numa_cpus\.\d+)$/, text(cpuList)],
  [/^hw:cpu_policy$/, oneOf('dedicated', 'shared', 'mixed')],
  [/^hw:cpu_thread_policy$/, oneOf('prefer', 'isolate', 'require')],
  [/^hw:emulator_threads_policy$/, oneOf('isolate', 'share')],
  [/^hw:mem_page_size$/, text(/^(large|small|any|\d+([kKMGT]i?)?(b|bit|B)?)$/)],
  [/^hw:(numa_nodes|numa_mem\.\d+|(max_)?cpu_(sockets|cores|threads))$/, int(1)],
  [/^hw:pci_numa_affinity_policy$/, oneOf('required', 'preferred', 'legacy', 'socket')],
  [/^hw:pmem$/, text(/^[a-zA-Z0-9_,]+$/)],
  [/^hw:serial_port_count$/, int(0)],
  [/^hw:tpm_model$/, oneOf('tpm-tis', 'tpm-crb')],
  [/^hw:tpm_version$/, oneOf('1.2', '2.0')],
  [/^hw:watchdog_action$/, oneOf('none', 'pause', 'poweroff', 'reset', 'disabled')],
  [/^hw:viommu_model$/, oneOf('intel', 'smmuv3', 'virtio', 'auto')],
  [/^hw:ephemeral_encryption_format$/, oneOf('plain', 'luks', 'luksv2')],
  [/^hw_rng:allowed$/, bool],
  [/^hw_rng:(rate_bytes|rate_period)$/, int(0)],
  [/^hw_video:ram_max_mb$/, int(0)],
  [/^os:secure_boot$/, oneOf('disabled', 'required')],
  [/^os:resolution$/, oneOf('1024x768', '1280x1024', '1600x1200', '1920x1200', '2560x1600', '3840x2160')],
  [/^os:monitors$/, int(1, 8)],
  [/^os:vram$/, oneOf('64', '128', '256', '512', '1024')],
  [/^pci_passthrough:alias$/, text(/^[^:]+:\d+(\s*,\s*[^:]+:\d+)*$/)],
  [
    /^quota:(cpu_(shares|period|quota)|disk_(read|write|total)_(bytes|iops)_sec(_max)?|vif_(in|out)bound_(average|burst|peak))$/,
    int(0),
  ],
  [/^quota:(cpu|memory|disk_io|vif)_(limit|reservation|shares_share)$/, int()],
  [/^quota:(cpu|memory|disk_io|vif)_shares_level$/, oneOf('high', 'normal', 'low', 'custom')],
  [new RegExp(`^resources${group}:(CUSTOM_[A-Z0-9_]+|${standardResources})$`), int(0)],
  [new RegExp(`^trait${group}:[A-Z0-9_]+$`), oneOf('required', 'forbidden')],
  [/^vmware:(hw_version|storage_policy)$/, text()],
]

const namespaces = new RegExp(
  `^(accel|aggregate_instance_extra_specs|capabilities|hw|hw_rng|hw_video|os|pci_passthrough|quota|vmware|resources${group}|trait${group})$`,
)

const bad = (why: string) => new Problem('invalid', `Validation failed; ${why}.`)

/** Throws invalid for a name that a known namespace does not have, or a value that does not fit its name. Other namespaces are the user's. */
export function checkExtraSpec(name: string, value: string): void {
  const rule = rules.find(([pattern]) => pattern.test(name))?.[1]
  if (rule) checkValue(rule, value)
  else if (name.includes(':') && namespaces.test(name.split(':', 1)[0]!))
    throw bad(`extra spec '${name}' does not appear to be a valid extra spec`)
}

function checkValue(rule: Rule, value: string): void {
  if (rule.type === 'bool') {
    if (!/^(1|t|true|on|y|yes|0|f|false|off|n|no)$/i.test(value)) throw bad(`'${value}' is not a valid boolean-like value`)
    return
  }
  if (rule.type === 'text') {
    if (rule.pattern && !rule.pattern.test(value)) throw bad(`'${value}' is not of the format '${rule.pattern.source}'`)
    if (rule.words && !rule.words.includes(value)) throw bad(`'${value}' is not one of: ${rule.words.join(', ')}`)
    return
  }
  const number = Number(value)
  if (!/^[+-]?\d+$/.test(value)) throw bad(`'${value}' is not a valid integer value`)
  if (rule.max !== undefined && number > rule.max) throw bad(`'${value}' is greater than the max value of '${rule.max}'`)
  if (rule.min !== undefined && number < rule.min) throw bad(`'${value}' is less than the min value of '${rule.min}'`)
}
