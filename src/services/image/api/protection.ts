import { Problem } from '../../../kit/errors.ts'
import type { Caller } from '../../../kit/policy/caller.ts'
import { openPolicy } from '../../../kit/policy/policy.ts'
import { parseRule } from '../../../kit/policy/rule.ts'
import { imagePolicies } from '../policy.ts'
import type { Draft } from './attributes.ts'

/** Roles (`@`: everybody, `!`: nobody), or a rule in the language of policies, which may name those of images: `rule:context_is_admin or role:billing`. */
export type Permit = string[] | string

/** Who may do what with custom properties of such names (Glance's property protections, by roles and by policies). */
export type PropertyProtection = {
  /** Matches the name from its beginning. */
  names: RegExp
  create: Permit
  read: Permit
  update: Permit
  delete: Permit
}

const deeds = ['create', 'read', 'update', 'delete'] as const
type Deed = (typeof deeds)[number]

export type Protection = {
  mayRead(caller: Caller): (name: string) => boolean
  /** Throws forbidden when the caller may not change what changed. */
  allow(caller: Caller, before: Draft['properties'], after: Draft['properties']): void
}

/**
 * The first rule that matches decides; without any rule everything is allowed, with some a name that matches none is forbidden. Throws an error on a
 * rule that cannot be read.
 */
export function openProtection(rules: PropertyProtection[] = []): Protection {
  const texts = rules.flatMap((rule) => deeds.map((deed) => rule[deed])).filter((permit) => typeof permit === 'string')
  for (const text of texts) parseRule(text)
  const policy = openPolicy(imagePolicies, Object.fromEntries(texts.map((text) => [text, text])))
  const permits = (caller: Caller, name: string, deed: Deed): boolean => {
    if (rules.length === 0) return true
    const roles = rules.find((rule) => name.search(rule.names) === 0)?.[deed] ?? []
    if (typeof roles === 'string') return policy.allows(roles, caller, {})
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
