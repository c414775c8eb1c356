import type { Dialect, Failure } from '../../../kit/http/dialect.ts'
import { reasonPhrase } from '../../../kit/http/dialect.ts'

/** Lowest and highest microversion, as minor numbers. The README says why not more. */
export const minVersion = 1
export const maxVersion = 96

/** What compute calls its faults (api-ref "Faults"). Others are a computeFault. */
const faultNames: Record<number, string> = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  409: 'conflictingRequest',
  413: 'overLimit',
  415: 'badMediaType',
  429: 'overLimit',
  501: 'notImplemented',
  503: 'serviceUnavailable',
}

export const faultBody = (status: number, message: string) => ({
  [faultNames[status] ?? 'computeFault']: { code: status, message },
})

/** What no route answers comes from the layer before the faults, in its own form. */
const plainBody = ({ status, message }: Failure) => ({
  message: `${message}<br /><br />\n\n\n`,
  code: `${status} ${reasonPhrase[status] ?? ''}`,
  title: reasonPhrase[status] ?? '',
})

export const dialect: Dialect = {
  bases: ['/v2.1', '/v2.1/{own_project}'],
  versions: { type: 'compute', major: 2, min: minVersion, max: maxVersion, legacyHeader: 'X-OpenStack-Nova-API-Version' },
  error: (failure) => ({
    body: failure.problem.code === 'no-route' ? plainBody(failure) : faultBody(failure.status, failure.message),
  }),
  headers: ({ requestId }) => ({ 'x-compute-request-id': requestId }),
}
