import { type HpackEncoder, headerBytesMax, type IndexMode } from '../hpack/encoder.ts'
import { Flag, FRAME_HEADER_BYTES, FrameType } from '../protocol/constants.ts'
import { writeFrameHeader } from '../protocol/frames.ts'
import type { Header } from '../request/outcome.ts'
import type { RequestTemplate } from '../request/template.ts'

/** Templates whose bytes one connection keeps. */
const STAMPS_MAX = 32

/** The bytes of a prepared request on one connection: only stream ids and the varying part are patched. */
export interface Stamp {
  readonly bytes: Uint8Array
  /** Offset of the stream id in the HEADERS frame. */
  readonly headersIdAt: number
  /** Offset of the stream id in the DATA frame; 0 when there is no body. */
  readonly dataIdAt: number
  /** Offset of the varying part, in hexadecimal. */
  readonly variableAt: number
  readonly variableBytes: number
  /** State of the encoder that the indices of the bytes belong to. */
  readonly epoch: number
}

/** What to write next for a template. */
export interface NextStamp {
  readonly stamp: Stamp
  /** It fills the dynamic table: written exactly once, before anything else. */
  readonly once: boolean
}

/**
 * The stamps of one connection. The first request of a template puts its headers into the dynamic table; all
 * later ones are a few indices (RFC 7541 section 6.1), the same bytes every time, without an encoder.
 */
export class Stamps {
  readonly #encoder: HpackEncoder
  readonly #stamps = new Map<RequestTemplate, Stamp>()

  constructor(encoder: HpackEncoder) {
    this.#encoder = encoder
  }

  /** The stamp of a template now. Whatever it returns must be written before the next call for another one. */
  next(template: RequestTemplate, variableBytes: number): NextStamp {
    const known = this.#stamps.get(template)
    if (known !== undefined && known.epoch === this.#encoder.epoch && known.variableBytes === variableBytes)
      return { stamp: known, once: false }
    if (known === undefined && this.#stamps.size >= STAMPS_MAX) {
      for (const [oldest] of this.#stamps) {
        this.#stamps.delete(oldest)
        break
      }
    }
    const { epoch } = this.#encoder
    const first = this.#encode(template, variableBytes, 'fill')
    if (first.epoch === epoch) {
      this.#stamps.set(template, first)
      return { stamp: first, once: false }
    }
    this.#stamps.set(template, this.#encode(template, variableBytes, 'reuse'))
    return { stamp: first, once: true }
  }

  /** `fill` puts missing headers into the table; `reuse` only uses what is there, so that its bytes can be repeated. */
  #encode(template: RequestTemplate, variableBytes: number, how: 'fill' | 'reuse'): Stamp {
    const encoder = this.#encoder
    const { method, authority, pathPrefix, pathSuffix, headers, body } = template
    const path = `${pathPrefix}${'0'.repeat(variableBytes * 2)}${pathSuffix}`
    const indexed: readonly Header[] = [
      [':method', method],
      [':scheme', 'https'],
      [':authority', authority],
      ...headers,
    ]
    const bound = [...indexed, [':path', path] as const].reduce(
      (sum, [name, value]) => sum + headerBytesMax(name, value),
      64,
    )
    const out = new Uint8Array(FRAME_HEADER_BYTES + bound + FRAME_HEADER_BYTES + body.length)
    const mode = ([name, value]: Header): IndexMode => {
      if (how === 'reuse') return encoder.contains(name, value) ? 'index' : 'literal'
      return 'index'
    }
    let at = encoder.begin(out, FRAME_HEADER_BYTES)
    for (const header of indexed.slice(0, 3)) at = encoder.header(out, at, header[0], header[1], mode(header))
    at = encoder.header(out, at, ':path', path, 'literal')
    const variableAt = at - pathSuffix.length - variableBytes * 2
    for (const header of indexed.slice(3)) at = encoder.header(out, at, header[0], header[1], mode(header))
    const endStream = body.length === 0 ? Flag.endStream : 0
    writeFrameHeader(out, 0, at - FRAME_HEADER_BYTES, FrameType.headers, Flag.endHeaders | endStream, 0)
    let dataIdAt = 0
    if (body.length > 0) {
      dataIdAt = at + 5
      at = writeFrameHeader(out, at, body.length, FrameType.data, Flag.endStream, 0)
      out.set(body, at)
      at += body.length
    }
    return { bytes: out.slice(0, at), headersIdAt: 5, dataIdAt, variableAt, variableBytes, epoch: encoder.epoch }
  }
}
