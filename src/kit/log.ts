import pino from 'pino'
import { context } from './context.ts'

export type Log = {
  debug(facts: Record<string, unknown>, message: string): void
  info(facts: Record<string, unknown>, message: string): void
  warn(facts: Record<string, unknown>, message: string): void
  error(facts: Record<string, unknown>, message: string): void
}

export type LogOptions = { level?: string; name?: string; write?: (line: string) => void }

const secretKeys = [
  'password',
  'adminPass',
  'token',
  'secret',
  'authorization',
  'x-auth-token',
  'x-subject-token',
  'user_data',
  'userData',
  'private_key',
]

/** Structured lines of JSON; the request id of the current work is in each; values under secret names never are. */
export function openLog({ level = 'info', name = 'altostack', write }: LogOptions = {}): Log {
  const paths = secretKeys.flatMap((key) => [`["${key}"]`, `*["${key}"]`, `*.*["${key}"]`])
  const options: pino.LoggerOptions = {
    level,
    base: { name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths, censor: '***' },
    mixin: () => {
      const { requestId } = context()
      return requestId === undefined ? {} : { request: requestId }
    },
  }
  return write ? pino(options, { write }) : pino(options, pino.destination({ fd: 2, sync: true }))
}

/** For tests and tools that do not listen. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
