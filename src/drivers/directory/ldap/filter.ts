import type * as ldapts from 'ldapts'
import type { DirectoryFilter } from '../driver.ts'
import { fromGuid } from './guid.ts'

type Library = typeof ldapts

/** Values go to the server as they are, length before content: there is nothing in them to escape. Throws on a configured text that is no filter. */
export function filterOf(library: Library, filter: DirectoryFilter): ldapts.Filter {
  if (filter.is === 'text') return library.FilterParser.parseString(filter.text)
  if (filter.is === 'equal') {
    const { attribute, value } = filter
    return new library.EqualityFilter({ attribute, value: fromGuid(attribute, value) ?? value })
  }
  const filters = filter.of.map((one) => filterOf(library, one))
  return filter.is === 'all' ? new library.AndFilter({ filters }) : new library.OrFilter({ filters })
}
