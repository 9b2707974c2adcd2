import { H2PushError } from '../errors.ts'
import type { Header } from './outcome.ts'

/** Longest body of a prepared request, in bytes: it must fit one DATA frame of every peer. */
export const TEMPLATE_BODY_BYTES_MAX = 8_192
/** Largest header list of a request, in bytes: with a varying part it fits one frame of every peer. */
export const REQUEST_HEADER_BYTES_MAX = 15_000
/** Longest captured header value, in bytes. */
const CAPTURE_BYTES_MAX = 256

const namePattern = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const valuePattern = /^(?:[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff\t]*[\x21-\x7e\x80-\xff])?)?$/
const pathPattern = /^[\x21-\x7e]*$/
const forbiddenNames = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'host'])

/** Requests that differ in one part of the path only. */
export interface TemplateOptions {
  readonly method: string
  /** Host, with the port where it is not 443. */
  readonly authority: string
  /** Path before the part that varies, such as `/3/device/`. */
  readonly pathPrefix: string
  /** Path after it; default empty. */
  readonly pathSuffix?: string
  /** Further headers in the order of the wire; names in lower case. They are indexed (RFC 7541): the same for all. */
  readonly headers: readonly Header[]
  /** Sent with each request; at most 8,192 bytes, default empty. */
  readonly body?: Uint8Array
  /** Response header whose value is kept for each request, such as `apns-id`; default none. */
  readonly capture?: { readonly name: string; readonly bytesMax: number }
}

/** A prepared kind of request; make one per kind and keep it: connections keep its bytes. */
export class RequestTemplate {
  readonly method: string
  readonly authority: string
  readonly pathPrefix: string
  readonly pathSuffix: string
  readonly headers: readonly Header[]
  readonly body: Uint8Array
  /** Empty for none. */
  readonly captureName: string
  readonly captureBytesMax: number
  /** Size of the header list without the varying part, as the protocol counts it (RFC 9113 section 6.5.2). */
  readonly listBytes: number

  /** Throws H2PushError `invalid` naming the field. */
  constructor(options: TemplateOptions) {
    const { method, authority, pathPrefix, pathSuffix = '', headers, body = new Uint8Array(0), capture } = options
    checkRequest({ method, authority, path: pathPrefix + pathSuffix, headers })
    if (body.length > TEMPLATE_BODY_BYTES_MAX) throw invalid(`body: at most ${TEMPLATE_BODY_BYTES_MAX} bytes`)
    const bytesMax = capture?.bytesMax ?? 0
    if (capture !== undefined && !namePattern.test(capture.name)) throw invalid(`capture.name: ${capture.name}`)
    if (!Number.isInteger(bytesMax) || bytesMax < 0 || bytesMax > CAPTURE_BYTES_MAX)
      throw invalid(`capture.bytesMax: 0 to ${CAPTURE_BYTES_MAX}`)
    this.method = method
    this.authority = authority
    this.pathPrefix = pathPrefix
    this.pathSuffix = pathSuffix
    this.headers = headers
    this.body = body
    this.captureName = capture?.name ?? ''
    this.captureBytesMax = bytesMax
    this.listBytes = listBytesOf({ method, authority, path: pathPrefix + pathSuffix, headers })
  }
}

/** The parts of a request that become headers. */
export interface RequestHead {
  readonly method: string
  readonly authority: string
  readonly path: string
  readonly headers: readonly Header[]
}

/** Throws H2PushError `invalid` naming the field (RFC 9113 section 8.2 and 8.3). */
export function checkRequest({ method, authority, path, headers }: RequestHead): void {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method)) throw invalid('method')
  if (!/^[\x21-\x7e]+$/.test(authority)) throw invalid('authority')
  if (!path.startsWith('/') || !pathPattern.test(path)) throw invalid('path: starts with / and holds no spaces')
  for (const [name, value] of headers) {
    if (!namePattern.test(name) || forbiddenNames.has(name)) throw invalid(`header ${name}`)
    if (!valuePattern.test(value)) throw invalid(`value of header ${name}`)
  }
  if (listBytesOf({ method, authority, path, headers }) > REQUEST_HEADER_BYTES_MAX)
    throw invalid(`headers: at most ${REQUEST_HEADER_BYTES_MAX} bytes`)
}

/** Size of a header list with its pseudo headers (RFC 9113 section 6.5.2). */
export function listBytesOf({ method, authority, path, headers }: RequestHead): number {
  const pseudo = ':method:scheme:authority:pathhttps'.length + method.length + authority.length + path.length + 4 * 32
  return headers.reduce((sum, [name, value]) => sum + name.length + value.length + 32, pseudo)
}

function invalid(message: string): H2PushError {
  return new H2PushError('invalid', message)
}
