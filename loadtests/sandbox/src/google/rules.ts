import { isObject } from '../pass/check-json.ts'
import { badRequest, type GoogleProblem } from './problem.ts'

/** Types of passes; each has classes and objects. */
export const passTypes = ['loyalty', 'offer', 'giftCard', 'generic', 'eventTicket'] as const
export type PassType = (typeof passTypes)[number]

/** Kinds of resource that the stand-in knows. */
export type ResourceKind = `${PassType}Class` | `${PassType}Object`
export type ObjectKind = `${PassType}Object`

/** All kinds. */
export const resourceKinds: readonly ResourceKind[] = passTypes.flatMap(
  (type) => [`${type}Class`, `${type}Object`] as const,
)

/** Whether a kind is one of classes. */
export function isClassKind(kind: ResourceKind): boolean {
  return kind.endsWith('Class')
}

/** Kind of the class of an object; a class's own. */
export function classKindOf(kind: ResourceKind): ResourceKind {
  return kind.replace(/Object$/, 'Class') as ResourceKind
}

/** Kind of the objects of a class; an object's own. */
export function objectKindOf(kind: ResourceKind): ObjectKind {
  return kind.replace(/Class$/, 'Object') as ObjectKind
}

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
const NOTIFYING_FIELDS: Readonly<Partial<Record<ResourceKind, readonly string[]>>> = {
  loyaltyClass: ['rewardsTier', 'secondaryRewardsTier'],
  loyaltyObject: ['loyaltyPoints', 'secondaryLoyaltyPoints'],
  giftCardObject: ['balance'],
}

const REDEMPTION_CHANNELS = new Set(['INSTORE', 'ONLINE', 'BOTH', 'TEMPORARY_PRICE_REDUCTION'])
/** Texts that each kind of class must have. */
const CLASS_TEXTS: Readonly<Record<PassType, readonly string[]>> = {
  loyalty: ['issuerName', 'programName', 'reviewStatus'],
  offer: ['issuerName', 'provider', 'title', 'redemptionChannel', 'reviewStatus'],
  giftCard: ['issuerName', 'reviewStatus'],
  generic: [],
  eventTicket: ['issuerName', 'reviewStatus'],
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

function checkClass(type: PassType, resource: Resource): void {
  for (const name of CLASS_TEXTS[type]) text(resource, name)
  if (type === 'loyalty' && resource['programLogo'] === undefined) refuse('programLogo is required')
  if (type === 'offer' && !REDEMPTION_CHANNELS.has(String(resource['redemptionChannel'])))
    refuse('redemptionChannel is not allowed')
  if (type === 'eventTicket') localized(resource, 'eventName')
  if (type === 'generic' && resource['reviewStatus'] !== undefined) refuse('Unknown name "reviewStatus"')
  if (type === 'generic' && resource['hexBackgroundColor'] !== undefined) refuse('Unknown name "hexBackgroundColor"')
  for (const name of ['programLogo', 'titleImage', 'logo']) checkImage(resource[name], name)
  checkColor(resource)
  const callbacks = resource['callbackOptions']
  if (callbacks !== undefined && (!isObject(callbacks) || !/^https:\/\//.test(String(callbacks['url']))))
    refuse('callbackOptions.url must be https')
  checkSmartTap(resource)
}

function checkColor(resource: Resource): void {
  const color = resource['hexBackgroundColor']
  if (color !== undefined && !/^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(String(color)))
    refuse('hexBackgroundColor is malformed')
}

function checkSmartTap(resource: Resource): void {
  const issuers = list(resource, 'redemptionIssuers', 20)
  if (resource['enableSmartTap'] === true && issuers.length === 0) refuse('redemptionIssuers is required for Smart Tap')
  if (issuers.some((issuer) => !/^[0-9]{1,19}$/.test(String(issuer)))) refuse('redemptionIssuers are issuer ids')
}

function localized(resource: Resource, name: string): void {
  const value = resource[name]
  const first = isObject(value) ? value['defaultValue'] : undefined
  if (!isObject(first) || typeof first['language'] !== 'string' || typeof first['value'] !== 'string')
    refuse(`${name}.defaultValue needs language and value`)
}

function checkObject(type: PassType, resource: Resource): void {
  text(resource, 'classId')
  if (!STATES.has(String(resource['state']))) refuse('state is required')
  if (type === 'giftCard') text(resource, 'cardNumber')
  if (type === 'generic') for (const name of ['cardTitle', 'header']) localized(resource, name)
  if (type !== 'generic' && resource['hexBackgroundColor'] !== undefined) refuse('Unknown name "hexBackgroundColor"')
  if (type !== 'loyalty' && resource['loyaltyPoints'] !== undefined) refuse('Unknown name "loyaltyPoints"')
  if (type !== 'giftCard' && resource['balance'] !== undefined) refuse('Unknown name "balance"')
  if (resource['balance'] !== undefined) checkMoney(resource['balance'])
  const tap = resource['smartTapRedemptionValue']
  if (tap !== undefined && !/^[\x20-\x7e]+$/.test(String(tap))) refuse('smartTapRedemptionValue must be ASCII')
  checkColor(resource)
  checkBalance(resource['loyaltyPoints'], 'loyaltyPoints')
  checkBalance(resource['secondaryLoyaltyPoints'], 'secondaryLoyaltyPoints')
  checkCode(resource['barcode'], 'barcode', BARCODES)
  checkCode(resource['rotatingBarcode'], 'rotatingBarcode', new Set(['QR_CODE', 'PDF_417']))
  const linked = list(resource, 'linkedObjectIds', LINKED_OBJECTS_MAX)
  if (linked.includes(resource['id'])) refuse('linkedObjectIds: an object cannot be linked to itself')
}

function checkMoney(money: unknown): void {
  const sound =
    isObject(money) && /^[A-Z]{3}$/.test(String(money['currencyCode'])) && /^-?\d+$/.test(String(money['micros']))
  if (!sound) refuse('balance needs micros and currencyCode')
}

function passTypeOf(kind: ResourceKind): PassType {
  return kind.replace(/(?:Class|Object)$/, '') as PassType
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
    const type = passTypeOf(kind)
    if (isClassKind(kind)) checkClass(type, resource)
    else checkObject(type, resource)
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
  return (NOTIFYING_FIELDS[kind] ?? []).some((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
}
