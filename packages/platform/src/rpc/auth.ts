import { type AccessDirectory, type Caller, hashApiKey } from '../access.ts'
import { checkBrand } from '../check.ts'
import { notFound, StampedeError } from '../errors.ts'
import { rolePermissions } from '../roles.ts'
import type { MethodInfo } from './descriptors.ts'

const bearer = /^Bearer ([\x21-\x7e]{1,256})$/i

/** Who holds the key of an `authorization` header; UNAUTHENTICATED if it is missing or unknown. */
export function authenticate(authorization: string | undefined, access: AccessDirectory): Caller {
  const key = authorization === undefined ? undefined : bearer.exec(authorization)?.[1]
  const caller = key === undefined ? undefined : access.find(hashApiKey(key))
  if (caller === undefined) throw new StampedeError('UNAUTHENTICATED')
  return caller
}

/** PERMISSION_DENIED unless the caller's role grants the method. */
export function authorize(caller: Caller, method: MethodInfo): void {
  if (!rolePermissions[caller.role].has(method.permission)) throw new StampedeError('PERMISSION_DENIED')
}

/**
 * Checks the request's brand against the caller's scope. A brand of somebody else is answered like one that
 * does not exist; a request that concerns no single brand needs a caller of all brands.
 */
export function checkScope(caller: Caller, method: MethodInfo, request: object): void {
  if (!method.hasBrand) {
    if (caller.brands !== 'all') throw new StampedeError('PERMISSION_DENIED')
    return
  }
  const brand = checkBrand('brand' in request && typeof request.brand === 'string' ? request.brand : '')
  if (caller.brands !== 'all' && !caller.brands.includes(brand)) throw notFound()
}
