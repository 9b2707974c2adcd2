import { invalidArgument } from '../errors.ts'
import type { Binding, BoundMethod } from './binding.ts'

/** One way to reach a method by HTTP. */
export interface Route {
  readonly verb: string
  readonly method: BoundMethod
  /** Whether the body is the request. */
  readonly hasBody: boolean
  readonly pattern: RegExp
  /** Names of the fields in the path, in its order. */
  readonly variables: readonly string[]
}

/** A route and what its variables stand for. */
export interface RouteMatch {
  readonly route: Route
  /** Value of each field in the path, decoded. */
  readonly variables: ReadonlyMap<string, string>
}

/** Compiles the HTTP mappings of all bindings. */
export function compileRoutes(bindings: readonly Binding[]): Route[] {
  return bindings.flatMap(({ methods }) =>
    methods.flatMap((method) =>
      method.info.http.map(({ verb, template, hasBody }) => ({ verb, method, hasBody, ...compileTemplate(template) })),
    ),
  )
}

/** The names of the fields in a path template. */
export function templateVariables(template: string): string[] {
  return [...template.matchAll(/\{([a-z0-9_]+)\}/g)].map((found) => found[1] ?? '')
}

function compileTemplate(template: string): Pick<Route, 'pattern' | 'variables'> {
  const literals = template.split(/\{[a-z0-9_]+\}/).map((literal) => literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  // A colon inside a value must be sent as %3A: a bare one begins the verb.
  return { pattern: new RegExp(`^${literals.join('([^/:]+)')}$`), variables: templateVariables(template) }
}

/** Finds the route of a request; undefined if there is none. Throws if a value is not properly encoded. */
export function matchRoute(routes: readonly Route[], verb: string, path: string): RouteMatch | undefined {
  for (const route of routes) {
    if (route.verb !== verb) continue
    const found = route.pattern.exec(path)
    if (found === null) continue
    const pairs = route.variables.map((name, index) => [name, decode(found[index + 1] ?? '', name)] as const)
    return { route, variables: new Map(pairs) }
  }
  return undefined
}

function decode(raw: string, field: string): string {
  try {
    return decodeURIComponent(raw)
  } catch {
    throw invalidArgument(field, 'is not properly percent-encoded')
  }
}
