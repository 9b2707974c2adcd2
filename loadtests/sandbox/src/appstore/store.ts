import { createHash, X509Certificate } from 'node:crypto'
import type { AppStoreChange } from '../rows.ts'
import { badAttribute, type Checked, good, missing } from './problem.ts'

/** A pass type id of a team. */
export interface PassType {
  readonly id: string
  readonly teamId: string
  /** `pass.…` */
  readonly identifier: string
  readonly name: string
}

/** A certificate that was issued and not revoked. */
export interface Certificate {
  readonly id: string
  readonly teamId: string
  /** Resource id of its pass type id. */
  readonly passType: string
  readonly certificateType: string
  /** Base64 of the DER. */
  readonly content: string
  readonly serialNumber: string
  readonly expirationDate: string
}

/** What was done to one pass type id, over restarts. */
export interface PassTypeCounts {
  /** Certificates issued. */
  readonly certificates: number
  /** Different keys that they were issued for: fewer than certificates means that one was asked for twice. */
  readonly keys: number
  readonly revocations: number
  /** Times that the pass type id itself was deleted. */
  readonly deletions: number
}

interface Tally {
  certificates: number
  readonly keys: Set<string>
  revocations: number
  deletions: number
}

const IDENTIFIER = /^pass(\.[A-Za-z0-9-]+)+$/
const IDENTIFIER_MAX = 255
const NAME = /^[A-Za-z0-9 ]{1,255}$/

/** Pass type ids and certificates of all teams; changes come as rows, so that a restart can play them again. */
export class AppStoreStore {
  readonly #passTypes = new Map<string, PassType>()
  readonly #certificates = new Map<string, Certificate>()
  readonly #owners = new Map<string, { readonly teamId: string; readonly identifier: string }>()
  readonly #tallies = new Map<string, Tally>()

  /** Applies a change of a team. */
  apply(teamId: string, change: AppStoreChange): void {
    switch (change.kind) {
      case 'pass-type':
        this.#passTypes.set(change.id, { id: change.id, teamId, identifier: change.identifier, name: change.name })
        this.#owners.set(change.id, { teamId, identifier: change.identifier })
        return
      case 'pass-type-deleted':
        this.#tally(change.id).deletions += 1
        this.#passTypes.delete(change.id)
        return
      case 'certificate':
        this.#add(teamId, change)
        return
      case 'certificate-revoked': {
        const revoked = this.#certificates.get(change.id)
        if (revoked) this.#tally(revoked.passType).revocations += 1
        this.#certificates.delete(change.id)
      }
    }
  }

  /** A pass type id of the team. */
  passType(teamId: string, id: string): Checked<PassType> {
    const found = this.#passTypes.get(id)
    return found?.teamId === teamId ? good(found) : missing('passTypeIds', id)
  }

  /** A certificate of the team. */
  certificate(teamId: string, id: string): Checked<Certificate> {
    const found = this.#certificates.get(id)
    return found?.teamId === teamId ? good(found) : missing('certificates', id)
  }

  /** The team's pass type ids, by id. */
  passTypes(teamId: string): readonly PassType[] {
    return sortedOf(this.#passTypes, teamId)
  }

  /** The team's certificates, by id. */
  certificates(teamId: string): readonly Certificate[] {
    return sortedOf(this.#certificates, teamId)
  }

  /** Checks a new pass type id; an identifier belongs to one team in the world. */
  checkNew(identifier: unknown, name: unknown): Checked<{ readonly identifier: string; readonly name: string }> {
    if (typeof identifier !== 'string' || !IDENTIFIER.test(identifier) || identifier.length > IDENTIFIER_MAX)
      return badAttribute('identifier', 'must be pass. and a reverse domain name')
    if (typeof name !== 'string' || !NAME.test(name)) return badAttribute('name', 'must be letters, digits and spaces')
    for (const known of this.#passTypes.values())
      if (known.identifier === identifier)
        return badAttribute('identifier', `An App ID with Identifier '${identifier}' is not available.`)
    return good({ identifier, name })
  }

  /** Counts by identifier. */
  counts(): Readonly<Record<string, PassTypeCounts>> {
    const counts: Record<string, PassTypeCounts> = {}
    for (const [identifier, { keys, ...rest }] of this.#tallies) counts[identifier] = { ...rest, keys: keys.size }
    return counts
  }

  #add(teamId: string, change: Extract<AppStoreChange, { kind: 'certificate' }>): void {
    const { id, passType, certificateType, content } = change
    const parsed = new X509Certificate(Buffer.from(content, 'base64'))
    const { serialNumber } = parsed
    const expirationDate = parsed.validToDate.toISOString()
    this.#certificates.set(id, { id, teamId, passType, certificateType, content, serialNumber, expirationDate })
    const tally = this.#tally(passType)
    tally.certificates += 1
    const spki = parsed.publicKey.export({ type: 'spki', format: 'der' })
    tally.keys.add(createHash('sha256').update(spki).digest('base64'))
  }

  #tally(passType: string): Tally {
    const identifier = this.#owners.get(passType)?.identifier ?? passType
    const known = this.#tallies.get(identifier)
    if (known) return known
    const tally: Tally = { certificates: 0, keys: new Set(), revocations: 0, deletions: 0 }
    this.#tallies.set(identifier, tally)
    return tally
  }
}

function sortedOf<T extends { readonly id: string; readonly teamId: string }>(
  all: ReadonlyMap<string, T>,
  teamId: string,
): readonly T[] {
  const own = [...all.values()].filter((one) => one.teamId === teamId)
  return own.sort((left, right) => (left.id < right.id ? -1 : 1))
}
