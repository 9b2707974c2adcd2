import type { PassingRequest } from './tripwire.ts'

/** A right as RBAC names it: `verb group/resource`. */
export type Right = string

/** Rights of the rules of a Role. */
export function rightsOf(rules: readonly RoleRule[]): ReadonlySet<Right> {
  return new Set(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
      ),
    ),
  )
}

/** One rule of a Role. */
export interface RoleRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

/** Rights that requests make use of. Server-side apply needs `create` too where the object may not be there yet. */
export function usedRights(
  requests: readonly PassingRequest[],
  isApply: (resource: string) => boolean,
): ReadonlySet<Right> {
  const used = new Set<Right>()
  for (const { method, path } of requests) {
    const [bare = '', query = ''] = path.split('?')
    const match = /^\/(?:api|apis\/([^/]+))\/[^/]+\/namespaces\/[^/]+\/([^/]+)(?:\/([^/]+))?(?:\/(status))?$/.exec(bare)
    if (match === null) continue
    const [, group = '', plural = '', name, subresource] = match
    const resource = `${group}/${plural}${subresource === undefined ? '' : `/${subresource}`}`
    used.add(`${verbOf(method, name !== undefined, query)} ${resource}`)
    if (method === 'PATCH' && isApply(resource)) used.add(`create ${resource}`)
  }
  return used
}

function verbOf(method: string, isNamed: boolean, query: string): string {
  if (method === 'POST') return 'create'
  if (method === 'PUT') return 'update'
  if (method === 'GET' && !isNamed) return /\bwatch=(true|1)\b/.test(query) ? 'watch' : 'list'
  return method.toLowerCase()
}
