/** Apple's reasons and the status each is answered with. */
export const reasonStatus = {
  BadCollapseId: 400,
  BadDeviceToken: 400,
  BadExpirationDate: 400,
  BadMessageId: 400,
  BadPriority: 400,
  BadTopic: 400,
  DeviceTokenNotForTopic: 400,
  DuplicateHeaders: 400,
  IdleTimeout: 400,
  InvalidPushType: 400,
  MissingDeviceToken: 400,
  MissingTopic: 400,
  PayloadEmpty: 400,
  TopicDisallowed: 400,
  BadCertificate: 403,
  BadCertificateEnvironment: 403,
  Forbidden: 403,
  InvalidProviderToken: 403,
  MissingProviderToken: 403,
  BadPath: 404,
  MethodNotAllowed: 405,
  Unregistered: 410,
  PayloadTooLarge: 413,
  TooManyRequests: 429,
  InternalServerError: 500,
  ServiceUnavailable: 503,
  Shutdown: 503,
} as const

/** A reason that Apple documents. */
export type ApnsReason = keyof typeof reasonStatus

/** The headers of a request that matter, as they came. */
export interface PushHeaders {
  readonly method: string
  readonly path: string
  readonly apnsId: string | undefined
  readonly topic: string | undefined
  readonly pushType: string | undefined
  readonly priority: string | undefined
  readonly expiration: string | undefined
  readonly collapseId: string | undefined
  /** A provider token was sent. */
  readonly authorization: boolean
  /** A header that may come once came twice. */
  readonly duplicate: boolean
}

/** What matters of a body. */
export interface PushPayload {
  /** Length so far, bytes. */
  readonly bytes: number
  /** Its first two bytes, or fewer when there are no more, the first one highest. */
  readonly start: number
}

/** Who is at the other end of the connection. */
export interface ClientIdentity {
  /** Pass type id of the certificate. */
  readonly topic: string
  /** Why requests of this connection cannot be served, found at the handshake. */
  readonly refusal?: ApnsReason
}

/** Largest payload, bytes. */
const PAYLOAD_BYTES_MAX = 4096
/** The empty dictionary, as `start` of a payload has it. */
const EMPTY_DICTIONARY = 0x7b7d
const COLLAPSE_ID_BYTES_MAX = 64
const TOKEN_HEX_MAX = 512
const PUSH_TYPES = new Set([
  'alert',
  'background',
  'location',
  'voip',
  'complication',
  'fileprovider',
  'mdm',
  'liveactivity',
  'pushtotalk',
  'widgets',
  'controls',
])
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const PATH = /^\/3\/device\/([^/]*)$/
const TOPIC = /^[A-Za-z0-9.-]{1,255}$/

/** The device token that a path names, or why there is none. */
export type PushTarget =
  /** In lower case. */
  { readonly token: string } | { readonly reason: ApnsReason }

/** Reads the path of a push. */
export function targetOf(path: string): PushTarget {
  const match = PATH.exec(path)
  if (!match) return { reason: path === '/3/device' ? 'MissingDeviceToken' : 'BadPath' }
  const token = match[1] ?? ''
  if (token === '') return { reason: 'MissingDeviceToken' }
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(token) || token.length > TOKEN_HEX_MAX) return { reason: 'BadDeviceToken' }
  return { token: token.toLowerCase() }
}

/** Whether an apns-id has the form of a UUID. */
export function isMessageId(value: string | undefined): value is string {
  return value !== undefined && UUID.test(value)
}

function checkOptions(headers: PushHeaders): ApnsReason | undefined {
  const { apnsId, expiration, priority, pushType, collapseId } = headers
  if (apnsId !== undefined && !isMessageId(apnsId)) return 'BadMessageId'
  if (expiration !== undefined && !/^\d{1,12}$/.test(expiration)) return 'BadExpirationDate'
  if (priority !== undefined && !['1', '5', '10'].includes(priority)) return 'BadPriority'
  if (pushType !== undefined && !PUSH_TYPES.has(pushType)) return 'InvalidPushType'
  if (pushType === 'background' && priority === '10') return 'BadPriority'
  if (collapseId !== undefined && Buffer.byteLength(collapseId) > COLLAPSE_ID_BYTES_MAX) return 'BadCollapseId'
  return undefined
}

function checkTopic(topic: string | undefined, client: ClientIdentity): ApnsReason | undefined {
  // With a certificate of a single topic the header may be left out.
  if (topic === undefined) return undefined
  if (topic === '') return 'MissingTopic'
  if (!TOPIC.test(topic)) return 'BadTopic'
  return topic === client.topic ? undefined : 'TopicDisallowed'
}

/** Why the headers of a push to this target are refused; undefined when they pass. */
export function checkPushHeaders(
  headers: PushHeaders,
  target: PushTarget,
  client: ClientIdentity,
): ApnsReason | undefined {
  if ('reason' in target && target.reason === 'BadPath') return 'BadPath'
  if (headers.method !== 'POST') return 'MethodNotAllowed'
  if (client.refusal) {
    // A provider token is read only where no certificate was shown, and no key is registered here.
    return client.refusal === 'MissingProviderToken' && headers.authorization ? 'InvalidProviderToken' : client.refusal
  }
  if (headers.duplicate) return 'DuplicateHeaders'
  return checkOptions(headers) ?? checkTopic(headers.topic, client) ?? ('reason' in target ? target.reason : undefined)
}

/**
 * Why a body is refused. A pass push carries the empty dictionary and nothing else; a dictionary with keys gets
 * PayloadEmpty as well, because Apple's list has no nearer name for "not the payload of a pass".
 */
export function checkPayload({ bytes, start }: PushPayload): ApnsReason | undefined {
  if (bytes > PAYLOAD_BYTES_MAX) return 'PayloadTooLarge'
  return bytes === 2 && start === EMPTY_DICTIONARY ? undefined : 'PayloadEmpty'
}
