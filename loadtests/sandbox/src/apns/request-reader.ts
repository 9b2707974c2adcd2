import type { HeaderVisitor, HpackDecoder } from '@stampede/h2push/codec'
import type { PushHeaders } from './rules.ts'

/** Longest header list of a request as the protocol counts it (RFC 9113 section 6.5.2), bytes; APNs has the same. */
export const HEADER_LIST_BYTES_MAX = 8_000
/** What a header costs in a header list beside its name and value, bytes. */
const HEADER_OVERHEAD_BYTES = 32

const pseudoNames = [':method', ':scheme', ':path', ':authority'] as const
const pushNames = [
  'apns-id',
  'apns-topic',
  'apns-push-type',
  'apns-priority',
  'apns-expiration',
  'apns-collapse-id',
] as const
const otherNames = ['authorization', 'content-length'] as const
/** Names whose value is another one in every request. */
const varyingNames: readonly string[] = [':path', 'apns-id']
/** Field names that are allowed (RFC 9113 section 8.2.1). */
const FIELD_NAME = /^[\x21-\x39\x3b-\x40\x5b-\x7e]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for (RFC 9113 section 8.2.1)
const BAD_VALUE = /[\x00\r\n]|^[ \t]|[ \t]$/
/** Names that only HTTP/1.1 knows (RFC 9113 section 8.2.2). */
const connectionNames = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

/** A header that is looked for, with its last value: most are the same in all requests of a connection. */
interface Field {
  readonly isPseudo: boolean
  readonly isVarying: boolean
  /** Number of the block in which it came last. */
  block: number
  value: string
}

/** Reads one header block of a connection at a time. */
export class RequestReader implements HeaderVisitor {
  /** Why the block is malformed (RFC 9113 section 8.1.1); empty when it is not. */
  fault = ''
  /** Size of the list as the protocol counts it. */
  listBytes = 0
  /** By watch id. */
  readonly #fields: (Field | undefined)[] = []
  readonly #byName = new Map<string, Field>()
  #block = 0
  #isTrailer = false
  #sawRegular = false
  #isDuplicate = false
  /** The bytes of the decoder's table as a Buffer, which makes text fast. */
  #view: Buffer = Buffer.alloc(0)

  /** The decoder passes what it watches for this reader only. */
  constructor(decoder: HpackDecoder) {
    for (const name of [...pseudoNames, ...pushNames, ...otherNames]) {
      const field = { isPseudo: name.startsWith(':'), isVarying: varyingNames.includes(name), block: 0, value: '' }
      this.#fields[decoder.watch(name)] = field
      this.#byName.set(name, field)
    }
  }

  /** Before each block. */
  start(isTrailer: boolean): void {
    this.fault = ''
    this.listBytes = 0
    this.#block += 1
    this.#isTrailer = isTrailer
    this.#sawRegular = false
    this.#isDuplicate = false
  }

  /** The headers after a block that is not one of trailers. */
  headers(): PushHeaders {
    return {
      method: this.#value(':method') ?? '',
      path: this.#value(':path') ?? '',
      apnsId: this.#value('apns-id'),
      topic: this.#value('apns-topic'),
      pushType: this.#value('apns-push-type'),
      priority: this.#value('apns-priority'),
      expiration: this.#value('apns-expiration'),
      collapseId: this.#value('apns-collapse-id'),
      authorization: this.#value('authorization') !== undefined,
      duplicate: this.#isDuplicate,
    }
  }

  /** Value of content-length; -1 without one. */
  contentLength(): number {
    const text = this.#value('content-length')
    if (text === undefined) return -1
    if (!/^\d{1,15}$/.test(text)) this.fault = 'malformed content-length'
    return Number(text)
  }

  onHeader(
    watchId: number,
    name: Uint8Array,
    nameStart: number,
    nameEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.listBytes += nameEnd - nameStart + valueEnd - valueStart + HEADER_OVERHEAD_BYTES
    const field = this.#fields[watchId]
    if (field === undefined) {
      this.#checkOther(this.#text(name, nameStart, nameEnd), this.#text(value, valueStart, valueEnd))
      return
    }
    const isTwice = field.block === this.#block
    if (!field.isPseudo) this.#sawRegular = true
    else if (isTwice || this.#sawRegular || this.#isTrailer) this.fault = 'a pseudo-header out of place'
    if (isTwice && field.value !== '') this.#isDuplicate = true
    field.block = this.#block
    if (!field.isVarying && this.#isSame(field.value, value, valueStart, valueEnd)) return
    field.value = this.#text(value, valueStart, valueEnd)
    if (BAD_VALUE.test(field.value)) this.fault = 'a header value that is not allowed'
  }

  /** After a block: what every request has (RFC 9113 section 8.3.1). */
  checkComplete(): void {
    if (this.fault !== '') return
    const isComplete = [':method', ':scheme', ':path'].every((name) => this.#value(name))
    if (!isComplete) this.fault = 'a pseudo-header is missing'
  }

  #value(name: string): string | undefined {
    const field = this.#byName.get(name)
    return field?.block === this.#block ? field.value : undefined
  }

  #checkOther(name: string, value: string): void {
    this.#sawRegular = true
    if (!FIELD_NAME.test(name)) this.fault = 'a header name that is not allowed'
    else if (connectionNames.has(name) || (name === 'te' && value !== 'trailers')) this.fault = `header ${name}`
    if (BAD_VALUE.test(value)) this.fault = `value of header ${name}`
  }

  #isSame(text: string, bytes: Uint8Array, start: number, end: number): boolean {
    if (text.length !== end - start) return false
    for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) !== bytes[start + at]) return false
    return true
  }

  #text(bytes: Uint8Array, start: number, end: number): string {
    if (this.#view.buffer !== bytes.buffer) this.#view = Buffer.from(bytes.buffer)
    return this.#view.toString('latin1', start + bytes.byteOffset, end + bytes.byteOffset)
  }
}
