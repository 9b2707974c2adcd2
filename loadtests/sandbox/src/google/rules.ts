import { isObject } from '../pass/check-json.ts'
import { badRequest, type GoogleProblem } from './problem.ts'

/** Kinds of resource that the stand-in knows. */
export type ResourceKind = 'loyaltyClass' | 'loyaltyObject'

/** A stored class or object. */
export type Resource = Readonly<Record<string, unknown>>

/** Most messages of one resource. */
export const MESSAGES_MAX = 10
const MERCHANT_LOCATIONS_MAX = 10
const LINKED_OBJECTS_MAX = 50
const ID = /^[0-9]{1,19}\.[A-Za-z0-9._-]+$/
const STATES = new Set(['ACTIVE', 'COMPLETED', 'EXPIRED', 'INACTIVE', 'active', 'completed', 'expired', 'inactive'])
const REVIEW = new Map([
  ['DRAFT', 'DRAFT'],
  ['draft', 'DRAFT'],
  ['UNDER_REVIEW', 'APPROVED'],
  ['underReview', 'APPROVED'],
])
const BARCODES = new Set([
  'AZTEC',
  'CODE_39',
  'CODE_128',
  'CODABAR',
  'DATA_MATRIX',
  'EAN_8',
  'EAN_13',
  'ITF_14',
  'PDF_417',
  'QR_CODE',
  'UPC_A',
  'TEXT_ONLY',
])
const MESSAGE_TYPES = new Set(['TEXT', 'TEXT_AND_NOTIFY', 'text', 'textAndNotify'])
const BALANCES = ['string', 'int', 'double', 'money']

/** Fields whose change NOTIFY_ON_UPDATE tells the holder of. */
const NOTIFYING_FIELDS: Readonly<Record<ResourceKind, readonly string[]>> = {
  loyaltyClass: ['rewardsTier', 'secondaryRewardsTier'],
  loyaltyObject: ['loyaltyPoints', 'secondaryLoyaltyPoints'],
}

class Refused extends Error {}

function refuse(message: string): never {
  throw new Refused(message)
}

/** Issuer of a resource id: the digits before the first dot. Undefined for a malformed id. */
export function issuerOf(id: unknown): string | undefined {
  return typeof id === 'string' && ID.test(id) ? id.slice(0, id.indexOf('.')) : undefined
}

function list(resource: Resource, name: string, max: number): readonly unknown[] {
  const value = resource[name]
  if (value === undefined) return []
  if (!Array.isArray(value)) refuse(`${name} must be a list`)
  if (value.length > max) refuse(`${name}: at most ${max} entries`)
  return value
}

function text(resource: Resource, name: string): void {
  if (typeof resource[name] !== 'string' || resource[name] === '') refuse(`${name} is required`)
}

function checkImage(image: unknown, name: string): void {
  if (image === undefined) return
  if (!isObject(image)) refuse(`${name} must be an image`)
  const { sourceUri, privateImageId } = image
  if ((sourceUri === undefined) === (privateImageId === undefined)) refuse(`${name}: exactly one source is required`)
  if (sourceUri === undefined) return
  const uri = isObject(sourceUri) ? sourceUri['uri'] : undefined
  if (typeof uri !== 'string' || !/^https?:\/\//.test(uri) || !URL.canParse(uri)) refuse(`${name}: uri needs a scheme`)
}

function checkBalance(points: unknown, name: string): void {
  if (points === undefined) return
  if (!isObject(points) || !isObject(points['balance'])) refuse(`${name}.balance is required`)
  const set = BALANCES.filter((kind) => (points['balance'] as Resource)[kind] !== undefined)
  if (set.length !== 1) refuse(`${name}.balance: exactly one of string, int, double, money`)
}

function checkCode(code: unknown, name: string, types: ReadonlySet<string>): void {
  if (code === undefined) return
  if (!isObject(code) || !types.has(String(code['type']))) refuse(`${name}.type is not allowed`)
}

function checkCommon(resource: Resource): void {
  for (const place of list(resource, 'merchantLocations', MERCHANT_LOCATIONS_MAX)) {
    if (!isObject(place) || typeof place['latitude'] !== 'number' || typeof place['longitude'] !== 'number') {
      refuse('merchantLocations: latitude and longitude are required')
    }
  }
  for (const message of list(resource, 'messages', MESSAGES_MAX)) {
    const refusal = checkMessage(message)
    if (refusal) refuse(refusal)
  }
  for (const module of list(resource, 'textModulesData', 100)) {
    const id = isObject(module) ? module['id'] : undefined
    if (typeof id === 'string' && id.includes('.')) refuse('textModulesData: id must not contain dots')
  }
  checkImage(resource['heroImage'], 'heroImage')
}

function checkClass(resource: Resource): void {
  for (const name of ['issuerName', 'programName', 'reviewStatus']) text(resource, name)
  if (resource['programLogo'] === undefined) refuse('programLogo is required')
  checkImage(resource['programLogo'], 'programLogo')
  const color = resource['hexBackgroundColor']
  if (color !== undefined && !/^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(String(color)))
    refuse('hexBackgroundColor is malformed')
}

function checkObject(resource: Resource): void {
  text(resource, 'classId')
  if (!STATES.has(String(resource['state']))) refuse('state is required')
  checkBalance(resource['loyaltyPoints'], 'loyaltyPoints')
  checkBalance(resource['secondaryLoyaltyPoints'], 'secondaryLoyaltyPoints')
  checkCode(resource['barcode'], 'barcode', BARCODES)
  checkCode(resource['rotatingBarcode'], 'rotatingBarcode', new Set(['QR_CODE', 'PDF_417']))
  const linked = list(resource, 'linkedObjectIds', LINKED_OBJECTS_MAX)
  if (linked.includes(resource['id'])) refuse('linkedObjectIds: an object cannot be linked to itself')
}

/** Why a message is refused; undefined when it is good. */
export function checkMessage(message: unknown): string | undefined {
  if (!isObject(message)) return 'message is required'
  for (const name of ['header', 'body']) {
    const localized = message[`localized${name[0]?.toUpperCase()}${name.slice(1)}`]
    if (typeof message[name] !== 'string' && !isObject(localized)) return `message.${name} is required`
  }
  const type = message['messageType']
  if (type !== undefined && !MESSAGE_TYPES.has(String(type))) return 'message.messageType is not supported'
  if (message['message_type'] !== undefined) return 'message.message_type: unknown name'
  return undefined
}

/** Whether a message notifies its holders. */
export function isNotifying(message: Resource): boolean {
  return message['messageType'] === 'TEXT_AND_NOTIFY' || message['messageType'] === 'textAndNotify'
}

/** Why a complete resource is refused; undefined when it may be stored. */
export function checkResource(kind: ResourceKind, resource: Resource): GoogleProblem | undefined {
  try {
    if (issuerOf(resource['id']) === undefined) refuse('Invalid resource ID')
    checkCommon(resource)
    if (kind === 'loyaltyClass') checkClass(resource)
    else checkObject(resource)
    return undefined
  } catch (error) {
    if (error instanceof Refused) return badRequest(error.message)
    throw error
  }
}

/** The status that a sent reviewStatus leads to, or a refusal. A class that was approved never becomes a draft again. */
export function reviewStatusOf(
  sent: unknown,
  previous: unknown,
): { readonly status: string } | { readonly refusal: GoogleProblem } {
  const status = REVIEW.get(String(sent))
  if (!status) return { refusal: badRequest('reviewStatus must be DRAFT or UNDER_REVIEW') }
  if (status === 'DRAFT' && previous === 'APPROVED')
    return { refusal: badRequest('reviewStatus cannot return to DRAFT') }
  return { status }
}

/** A merge patch: only sent fields change, arrays are replaced whole, null removes. */
export function mergePatch(target: Resource, patch: Resource): Resource {
  const merged: Record<string, unknown> = { ...target }
  for (const [name, value] of Object.entries(patch)) {
    const old = merged[name]
    if (value === null) delete merged[name]
    else if (isObject(value)) merged[name] = mergePatch(isObject(old) ? old : {}, value)
    else merged[name] = value
  }
  return merged
}

/** Whether an update with NOTIFY_ON_UPDATE changes something that holders are told of. */
export function changesNotifyingField(kind: ResourceKind, before: Resource, after: Resource): boolean {
  return NOTIFYING_FIELDS[kind].some((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
}
