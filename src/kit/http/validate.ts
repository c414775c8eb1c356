import { isIPv6 } from 'node:net'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { TSchema } from 'typebox'
import type { SchemaIssue } from './dialect.ts'

/** One schema, or one for each microversion. */
export type Schema = TSchema | ((version: number) => TSchema)

export type Validators = {
  /** Fills in defaults. Undefined: it fits. */
  check(schema: Schema, value: unknown, where: 'body' | 'query', version?: number): SchemaIssue | undefined
}

/** Schemas are compiled on first use: compiling all at the start costs seconds and tens of megabytes. */
export function openValidators(): Validators {
  const compiled = new WeakMap<TSchema, ValidateFunction>()
  const made = new WeakMap<Schema, Map<number, TSchema>>()
  const schemaOf = (schema: Schema, version: number): TSchema => {
    if (typeof schema !== 'function') return schema
    const versions = made.get(schema) ?? new Map<number, TSchema>()
    made.set(schema, versions)
    const one = versions.get(version) ?? schema(version)
    versions.set(version, one)
    return one
  }
  const ajv = new Ajv({
    allErrors: false,
    strict: false,
    // The schemas are ours: checking each against the schema of schemas costs more than compiling it.
    meta: false,
    validateSchema: false,
    useDefaults: true,
    allowUnionTypes: true,
    verbose: true,
    unicodeRegExp: true,
  })
  for (const [name, valid] of Object.entries(formats)) ajv.addFormat(name, valid)
  return {
    check(asked, value, where, version = 0) {
      const schema = schemaOf(asked, version)
      const run = compiled.get(schema) ?? ajv.compile(schema)
      compiled.set(schema, run)
      return run(value) ? undefined : issueOf(run.errors ?? [], where)
    },
  }
}

const formats: Record<string, (text: string) => boolean> = {
  uuid: (text) => /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(text),
  'date-time': (text) => !Number.isNaN(Date.parse(text)),
  ipv4: (text) => /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(text),
  ipv6: isIPv6,
  uri: (text) => URL.canParse(text),
  base64: (text) => /^(?:[A-Za-z0-9+/\s]{2,})*[A-Za-z0-9+/=\s]*$/.test(text),
}

function issueOf(errors: ErrorObject[], where: 'body' | 'query'): SchemaIssue {
  // Of an anyOf the branches come first and the anyOf itself last: the deepest branch says most.
  const error = [...errors].sort((a, b) => b.instancePath.length - a.instancePath.length)[0]!
  return {
    at: error.instancePath.replace(/^\//, '').replaceAll('~1', '/'),
    keyword: error.keyword,
    message: error.message ?? 'is not valid',
    params: error.params as Record<string, unknown>,
    value: error.data,
    where,
  }
}

/** The sentence for an issue, where a service has none of its own. */
export function describeIssue({ at, keyword, message, params, value, where }: SchemaIssue): string {
  if (keyword === 'additionalProperties') {
    const extra = String(params['additionalProperty'])
    return `Additional properties are not allowed ('${extra}' was unexpected)`
  }
  if (keyword === 'required')
    return `${at === '' ? '' : `Invalid input for field/attribute ${at.split('/')[0]}. `}'${String(params['missingProperty'])}' is a required property`
  const name =
    at
      .split('/')
      .filter((step) => !/^\d+$/.test(step))
      .at(-1) ?? where
  const shown = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return `Invalid input for ${where === 'query' ? 'query parameters' : 'field/attribute'} ${name}. Value: ${shown.slice(0, 200)}. ${shown.slice(0, 200)} ${message}`
}
