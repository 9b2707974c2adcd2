/** Types of passes at Google; each has classes and objects. */
export const passTypes = ['loyalty', 'offer', 'giftCard', 'generic', 'eventTicket'] as const
export type PassType = (typeof passTypes)[number]

/** Kinds of resource that are written. */
export type GoogleKind = ClassKind | ObjectKind
export type ClassKind = `${PassType}Class`
export type ObjectKind = `${PassType}Object`

/** All kinds. */
export const googleKinds: readonly GoogleKind[] = passTypes.flatMap(
  (type) => [`${type}Class`, `${type}Object`] as const,
)

/** Whether a kind, known or not, is one of classes. */
export function isClassKind(kind: string): kind is ClassKind {
  return isGoogleKind(kind) && kind.endsWith('Class')
}

/** Whether Google reviews resources of a kind: any later write of such a class must ask for it again. */
export function isReviewed(kind: GoogleKind): boolean {
  return isClassKind(kind) && kind !== 'genericClass'
}

/** Kind of the class that a resource of this kind belongs to; a class's own. */
export function classKindOf(kind: GoogleKind): ClassKind {
  return isClassKind(kind) ? kind : (kind.replace(/Object$/, 'Class') as ClassKind)
}

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>

/** Fields of a resource, and inside them those of which a desired state may hold one instead of another. */
interface Shape {
  readonly [field: string]: Shape
}

const leaf: Shape = {}
const image: Shape = { sourceUri: leaf, privateImageId: leaf, contentDescription: leaf }
const points: Shape = {
  label: leaf,
  localizedLabel: leaf,
  balance: { string: leaf, int: leaf, double: leaf, money: leaf },
}
const code: Shape = { type: leaf, alternateText: leaf, showCodeText: leaf }
const contents: Shape = {
  merchantLocations: leaf,
  textModulesData: leaf,
  imageModulesData: leaf,
  linksModuleData: { uris: leaf },
  valueAddedModuleData: leaf,
  appLinkData: leaf,
}
const classCommon: Shape = {
  ...contents,
  heroImage: image,
  hexBackgroundColor: leaf,
  localizedIssuerName: leaf,
  homepageUri: leaf,
  countryCode: leaf,
  callbackOptions: leaf,
  securityAnimation: leaf,
  classTemplateInfo: leaf,
  enableSmartTap: leaf,
  redemptionIssuers: leaf,
}
const objectCommon: Shape = {
  ...contents,
  heroImage: image,
  barcode: { ...code, value: leaf, renderEncoding: leaf },
  rotatingBarcode: { ...code, valuePattern: leaf, totpDetails: leaf, renderEncoding: leaf },
  validTimeInterval: { start: leaf, end: leaf },
  groupingInfo: leaf,
  passConstraints: leaf,
  smartTapRedemptionValue: leaf,
}

/**
 * What a desired state decides by holding it or leaving it out. Everything else stays as it is: messages, what Google
 * sets (hasUsers), what can never be taken back (linkedObjectIds) and what Google demands anyway.
 */
const decided: Readonly<Record<GoogleKind, Shape>> = {
  loyaltyClass: {
    ...classCommon,
    programLogo: image,
    wideProgramLogo: image,
    localizedProgramName: leaf,
    accountNameLabel: leaf,
    localizedAccountNameLabel: leaf,
    accountIdLabel: leaf,
    localizedAccountIdLabel: leaf,
    rewardsTier: leaf,
    localizedRewardsTier: leaf,
    rewardsTierLabel: leaf,
    localizedRewardsTierLabel: leaf,
    secondaryRewardsTier: leaf,
    localizedSecondaryRewardsTier: leaf,
    secondaryRewardsTierLabel: leaf,
    localizedSecondaryRewardsTierLabel: leaf,
  },
  loyaltyObject: {
    ...objectCommon,
    accountId: leaf,
    accountName: leaf,
    loyaltyPoints: points,
    secondaryLoyaltyPoints: points,
  },
  offerClass: {
    ...classCommon,
    titleImage: image,
    localizedTitle: leaf,
    details: leaf,
    finePrint: leaf,
    helpUri: leaf,
  },
  offerObject: objectCommon,
  giftCardClass: { ...classCommon, programLogo: image, merchantName: leaf, cardNumberLabel: leaf },
  giftCardObject: { ...objectCommon, balance: leaf, balanceUpdateTime: leaf, eventNumber: leaf, pin: leaf },
  genericClass: {
    ...contents,
    callbackOptions: leaf,
    securityAnimation: leaf,
    classTemplateInfo: leaf,
    enableSmartTap: leaf,
    redemptionIssuers: leaf,
  },
  genericObject: { ...objectCommon, logo: image, subheader: leaf, hexBackgroundColor: leaf },
  eventTicketClass: { ...classCommon, logo: image, venue: leaf, dateTime: { start: leaf, end: leaf, doorsOpen: leaf } },
  eventTicketObject: { ...objectCommon, ticketNumber: leaf, seatInfo: leaf, faceValue: leaf },
}

/** Whether a text names one of the kinds. */
export function isGoogleKind(kind: string): kind is GoogleKind {
  return Object.hasOwn(decided, kind)
}

/** A JSON object out of a text; undefined when it is something else. */
export function parseJson(text: string): Json | undefined {
  try {
    return asJson(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** A value as a JSON object; undefined when it is something else. */
export function asJson(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
}

/** Whether the desired state asks to notify the holders of what changes. */
export function asksToNotify(resource: Json): boolean {
  return resource['notifyPreference'] === 'NOTIFY_ON_UPDATE'
}

/** Body of the insertion: a new resource has no holders who could be told of a change. */
export function insertBody(resource: Json): string {
  return JSON.stringify({ ...resource, notifyPreference: undefined })
}

/**
 * Body of the PATCH that brings a resource to the desired state whatever it was before. A patch merges, inside objects
 * too, so what must not stay is sent as null; arrays are replaced whole by themselves. A PUT would need no nulls, but
 * it would wipe the messages that others put there.
 */
export function patchBody(kind: GoogleKind, resource: Json, notify: boolean): string {
  const { notifyPreference: _asked, ...rest } = resource
  const merged = withNulls(rest, decided[kind])
  return JSON.stringify(notify ? { ...merged, notifyPreference: 'NOTIFY_ON_UPDATE' } : merged)
}

function withNulls(value: Json, shape: Shape): Json {
  const absent = Object.keys(shape).filter((field) => value[field] === undefined)
  const present = Object.entries(value).map(([field, inner]) => {
    const innerShape = shape[field]
    const object = innerShape === undefined ? undefined : asJson(inner)
    return [field, object === undefined || innerShape === undefined ? inner : withNulls(object, innerShape)] as const
  })
  return { ...Object.fromEntries(absent.map((field) => [field, null])), ...Object.fromEntries(present) }
}
