/** What the module itself says it depends on (`depends=` in its .modinfo section). */
export function dependsOf(module: Buffer): string[] {
  const at = module.indexOf('\0depends=')
  if (at < 0) return []
  const from = at + '\0depends='.length
  const names = module.subarray(from, module.indexOf(0, from)).toString()
  return names === '' ? [] : names.split(',')
}

/** The kernel takes `-` and `_` in a module's name for the same; file names use either. */
export const plainName = (name: string): string => name.replaceAll('-', '_')

/**
 * The order in which to insert these modules, each after those it depends on. What is not among the files is built into the kernel.
 * `depends` gives the plain names of a module's dependencies; undefined: no such file.
 */
export function insertOrder(wanted: readonly string[], depends: (name: string) => string[] | undefined): string[] {
  const order = new Set<string>()
  const add = (name: string, above: readonly string[]) => {
    const needs = depends(name)
    if (!needs || order.has(name) || above.includes(name)) return
    for (const need of needs) add(plainName(need), [...above, name])
    order.add(name)
  }
  for (const name of wanted) add(plainName(name), [])
  return [...order]
}
