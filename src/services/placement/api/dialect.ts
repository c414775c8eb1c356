import { type Dialect, reasonPhrase } from '../../../kit/http/dialect.ts'
import { describeIssue } from '../../../kit/http/validate.ts'

/** Errors are a list; a code came with 1.23; what is out of the range of versions says what the range is. */
export const placementDialect: Dialect = {
  bases: [''],
  versions: { type: 'placement', major: 1, min: 0, max: 39 },
  error: ({ status, message, problem, requestId, version }) => ({
    body: {
      errors: [
        {
          status,
          title: reasonPhrase[status] ?? 'Error',
          detail: message,
          ...(version >= 23 ? { code: codeOf(problem.code) } : {}),
          request_id: requestId,
          ...(status === 406 ? problem.detail : {}),
        },
      ],
    },
  }),
  invalid: (issue) =>
    `${issue.where === 'query' ? 'Invalid query string parameters' : 'JSON does not validate'}: ${describeIssue(issue)}`,
}

const codeOf = (code: string | undefined): string => (code?.startsWith('placement.') ? code : 'placement.undefined_code')
