import { bad, type Checked, good } from './problem.ts'

/** What a list request asks for. */
export interface ListQuery {
  /** Filter name without `filter[…]` -> accepted values. */
  readonly filters: ReadonlyMap<string, ReadonlySet<string>>
  readonly limit: number
  /** Id after which the page starts. */
  readonly after: string
}

const LIMIT_DEFAULT = 20
const LIMIT_MAX = 200
const FILTER_VALUES_MAX = 200

/** Reads the parameters of a list; what is not among `filters` is refused, as Apple does. */
export function readListQuery(query: URLSearchParams, filters: readonly string[]): Checked<ListQuery> {
  const found = new Map<string, ReadonlySet<string>>()
  let [limit, after] = [LIMIT_DEFAULT, '']
  for (const [name, value] of query) {
    const illegal = (detail: string) => bad(400, 'PARAMETER_ERROR.INVALID', detail, { parameter: name })
    const filter = /^filter\[(\w+)\]$/.exec(name)?.[1]
    if (filter !== undefined && filters.includes(filter)) {
      const values = value.split(',')
      if (values.length > FILTER_VALUES_MAX) return illegal('too many values')
      found.set(filter, new Set(values))
    } else if (name === 'limit') {
      limit = Number(value)
      if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) return illegal(`between 1 and ${LIMIT_MAX}`)
    } else if (name === 'cursor') {
      after = Buffer.from(value, 'base64url').toString('utf8')
    } else {
      return bad(400, 'PARAMETER_ERROR.ILLEGAL', `The parameter '${name}' can not be used`, { parameter: name })
    }
  }
  return good({ filters: found, limit, after })
}

/** A page of things that have been sorted by id, with JSON:API's links and total. */
export function pageOf<T extends { readonly id: string }>(
  all: readonly T[],
  { limit, after }: ListQuery,
  self: URL,
  show: (one: T) => object,
): object {
  const rest = all.filter(({ id }) => id > after)
  const page = rest.slice(0, limit)
  const next = new URL(self)
  next.searchParams.set('cursor', Buffer.from(page.at(-1)?.id ?? '').toString('base64url'))
  return {
    data: page.map(show),
    links: { self: self.href, ...(rest.length > limit && { next: next.href }) },
    meta: { paging: { total: all.length, limit } },
  }
}
