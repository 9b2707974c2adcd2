import { isObject } from '../pass/check-json.ts'
import { bad, badAttribute, type Checked, good } from './problem.ts'

/** The `data` of a JSON:API document that creates or changes a resource. */
export interface Entity {
  readonly attributes: Readonly<Record<string, unknown>>
  /** Relationship -> id of its one resource. */
  readonly related: ReadonlyMap<string, { readonly type: string; readonly id: string }>
}

/** Reads a JSON:API document whose primary data is of `type`. */
export function readEntity(body: Buffer, type: string): Checked<Entity> {
  let document: unknown
  try {
    document = JSON.parse(body.toString('utf8'))
  } catch {
    return bad(400, 'PARAMETER_ERROR.INVALID', 'The request body is not JSON')
  }
  const data = isObject(document) ? document['data'] : undefined
  if (!isObject(data)) return bad(422, 'ENTITY_UNPROCESSABLE', 'data: is missing', { pointer: '/data' })
  if (data['type'] !== type) return bad(409, 'ENTITY_ERROR', `data.type: must be '${type}'`, { pointer: '/data/type' })
  const attributes = isObject(data['attributes']) ? data['attributes'] : {}
  const related = new Map<string, { type: string; id: string }>()
  const relationships = isObject(data['relationships']) ? data['relationships'] : {}
  for (const [name, value] of Object.entries(relationships)) {
    const target = isObject(value) ? value['data'] : undefined
    if (!isObject(target) || typeof target['id'] !== 'string' || typeof target['type'] !== 'string')
      return bad(409, 'ENTITY_ERROR.RELATIONSHIP.INVALID', 'must name a resource', {
        pointer: `/data/relationships/${name}`,
      })
    related.set(name, { type: target['type'], id: target['id'] })
  }
  return good({ attributes, related })
}

/** Kinds of certificates that belong to a pass type id. */
export const certificateTypes = ['PASS_TYPE_ID', 'PASS_TYPE_ID_WITH_NFC'] as const

/** A kind of certificate for passes. */
export type PassCertificateType = (typeof certificateTypes)[number]

/** Reads the kind of a new certificate; the one for NFC is for teams that Apple has let. */
export function readCertificateType(value: unknown, mayNfc: boolean): Checked<PassCertificateType> {
  const type = certificateTypes.find((known) => known === value)
  if (type === undefined) return badAttribute('certificateType', `'${String(value)}' is not a valid value`)
  if (type === 'PASS_TYPE_ID_WITH_NFC' && !mayNfc)
    return bad(403, 'FORBIDDEN_ERROR', 'This team is not entitled to NFC certificates')
  return good(type)
}
