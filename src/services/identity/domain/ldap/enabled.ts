import type { DirectoryEntry } from '../../../../drivers/directory/index.ts'
import type { EnabledRule } from './settings.ts'

/**
 * What is not understood disables: OSSA-2026-007 was a text `FALSE` that counted as true. All values must say that somebody is enabled, for
 * nobody knows which one a directory gives first.
 */
export function isEnabled(rule: Exclude<EnabledRule, { by: 'group' }>, { values }: DirectoryEntry): boolean {
  if (rule.by === 'nothing') return true
  const found = values[rule.attribute.toLowerCase()] ?? []
  const said = found.length === 0 ? [rule.missing] : found
  return said.every((text) => (rule.by === 'mask' ? isUnmasked(text, rule.mask) : isSaid(text, rule.invert)))
}

function isUnmasked(text: string, mask: number): boolean {
  if (!/^\s*-?\d{1,15}\s*$/.test(text)) return false
  return (BigInt(text.trim()) & BigInt(mask)) !== BigInt(mask)
}

function isSaid(text: string, invert: boolean): boolean {
  const word = text.trim().toLowerCase()
  if (['true', '1', 'yes', 'on'].includes(word)) return !invert
  if (['false', '0', 'no', 'off'].includes(word)) return invert
  return false
}
