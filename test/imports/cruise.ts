import { cruise, type IModule, type IViolation } from 'dependency-cruiser'
import { rules } from './rules.ts'

export type Cruised = { modules: number; violations: string[] }

/** Reads the import graph of these folders below the root. Imports of types count. */
export async function readImports(root: string, folders: string[]): Promise<Cruised> {
  const { output } = await cruise(folders, {
    baseDir: root,
    // dependency-cruiser 17 does not know TypeScript 7: without this parser it reads no file at all and finds nothing wrong.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    validate: true,
    ruleSet: { forbidden: rules },
    enhancedResolveOptions: { extensions: ['.ts', '.js'], conditionNames: ['import', 'default'], exportsFields: ['exports'] },
  })
  if (typeof output === 'string') throw new Error('dependency-cruiser gave a text')
  return { modules: output.modules.filter(isOurs).length, violations: output.summary.violations.map(lineOf) }
}

const isOurs = ({ source }: IModule) => source.endsWith('.ts') && !source.includes('node_modules')

const lineOf = ({ rule, from, to, cycle }: IViolation) =>
  `${rule.name}: ${from} -> ${cycle ? cycle.map(({ name }) => name).join(' -> ') : to}`
