import { Problem } from '../../../kit/errors.ts'
import type { Caller } from '../../../kit/policy/caller.ts'
import type { Draft } from './attributes.ts'

/** Who may do what with custom properties of such names: roles, `@` for everybody, `!` for nobody (Glance's property protections by role). */
export type PropertyProtection = {
  /** Matches the name from its beginning. */
  names: RegExp
  create: string[]
  read: string[]
  update: string[]
  delete: string[]
}

type Deed = 'create' | 'read' | 'update' | 'delete'

export type Protection = {
  mayRead(caller: Caller): (name: string) => boolean
  /** Throws forbidden when the caller may not change what changed. */
  allow(caller: Caller, before: Draft['properties'], after: Draft['properties']): void
}

/** The first rule that matches decides; without any rule everything is allowed, with some a name that matches none is forbidden. */
export function openProtection(rules: PropertyProtection[] = []): Protection {
  const permits = (caller: Caller, name: string, deed: Deed): boolean => {
    if (rules.length === 0) return true
    const roles = rules.find((rule) => name.search(rule.names) === 0)?.[deed] ?? []
    return !roles.includes('!') && (roles.includes('@') || caller.roles.some((role) => roles.includes(role.toLowerCase())))
  }
  return {
    mayRead: (caller) => (name) => permits(caller, name, 'read'),
    allow(caller, before, after) {
      for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
        if (before[name] === after[name]) continue
        const deed = before[name] === undefined ? 'create' : after[name] === undefined ? 'delete' : 'update'
        if (!permits(caller, name, deed)) throw new Problem('forbidden', `Property '${name}' is protected`)
      }
    },
  }
}
