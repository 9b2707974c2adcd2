import type { Brand } from '../crd/brand.ts'
import type { Finding } from './policy.ts'

/**
 * Why a Brand may not be worked on: an older one has its pass type id or its domain. The older one goes on undisturbed.
 */
export function findConflict(brand: Brand, others: readonly Brand[]): Finding | undefined {
  const older = others.filter((other) => other.metadata.uid !== brand.metadata.uid && isOlder(other, brand))
  const { passTypeIdentifier } = brand.spec.apple
  const sameType = older.find((other) => other.spec.apple.passTypeIdentifier === passTypeIdentifier)
  if (sameType !== undefined)
    return { reason: 'PassTypeTaken', message: `Brand ${sameType.metadata.name} has ${passTypeIdentifier} already` }
  const { domain } = brand.spec
  const sameDomain =
    domain && older.find((other) => other.spec.domain === domain || other.status?.domains?.includes(domain))
  if (sameDomain) return { reason: 'DomainTaken', message: `Brand ${sameDomain.metadata.name} has ${domain} already` }
  return undefined
}

function isOlder(one: Brand, other: Brand): boolean {
  const [left, right] = [one.metadata.creationTimestamp ?? '', other.metadata.creationTimestamp ?? '']
  return left < right || (left === right && one.metadata.name < other.metadata.name)
}
