import { type HeaderVisitor, STATUS_ID } from '../hpack/decoder.ts'
import type { Header } from '../request/outcome.ts'

/** Bytes of a field name that are allowed (RFC 9113 section 8.2.1): no upper case, no controls, no space, no colon. */
const nameBytes = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isUpper = byte >= 0x41 && byte <= 0x5a
  return byte > 0x20 && byte < 0x7f && !isUpper && byte !== 0x3a ? 1 : 0
})
/** Names that only HTTP/1.1 knows (RFC 9113 section 8.2.2). */
const connectionNames = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

/** Reads one header block at a time: status, the captured header, and all others where somebody wants them. */
export class HeaderReader implements HeaderVisitor {
  /** 0 when there was none. */
  status = 0
  /** Why the block is malformed; empty when it is not. */
  fault = ''
  /** Size of the list as the protocol counts it (RFC 9113 section 6.5.2). */
  listBytes = 0
  headers: Header[] = []
  #wantsAll = false
  #isTrailer = false
  #captureId = 0
  #target: Uint8Array | undefined
  #targetAt = 0
  #targetBytes = 0

  /** Before a block whose headers are wanted only when it is not a plain 200. */
  startBrief(captureId: number, target: Uint8Array, targetAt: number, targetBytes: number): void {
    this.#reset(false, false)
    this.#captureId = captureId
    this.#target = target
    this.#targetAt = targetAt
    this.#targetBytes = targetBytes
  }

  /** Before a block whose headers are wanted. */
  startFull(isTrailer: boolean): void {
    this.#reset(true, isTrailer)
    this.#captureId = 0
  }

  /** Captures as well. */
  capture(captureId: number, target: Uint8Array, targetAt: number, targetBytes: number): void {
    this.#captureId = captureId
    this.#target = target
    this.#targetAt = targetAt
    this.#targetBytes = targetBytes
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
    this.listBytes += nameEnd - nameStart + valueEnd - valueStart + 32
    if (watchId === STATUS_ID) {
      this.#readStatus(value, valueStart, valueEnd)
      return
    }
    if (watchId !== 0 && watchId === this.#captureId) this.#copy(value, valueStart, valueEnd)
    else if (watchId === 0) this.#checkName(name, nameStart, nameEnd)
    if (this.status === 0 && !this.#isTrailer) this.fault = 'no :status before other headers'
    if (!this.#wantsAll) return
    const header = [latin1(name, nameStart, nameEnd), latin1(value, valueStart, valueEnd)] as const
    if (connectionNames.has(header[0])) this.fault = `header ${header[0]}`
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for (RFC 9113 section 8.2.1)
    if (/[\x00\r\n]|^[ \t]|[ \t]$/.test(header[1])) this.fault = `value of header ${header[0]}`
    this.headers.push(header)
  }

  #reset(wantsAll: boolean, isTrailer: boolean): void {
    this.status = 0
    this.fault = ''
    this.listBytes = 0
    if (this.headers.length > 0) this.headers = []
    this.#wantsAll = wantsAll
    this.#isTrailer = isTrailer
  }

  #readStatus(value: Uint8Array, start: number, end: number): void {
    let status = 0
    for (let at = start; at < end; at += 1) {
      const digit = (value[at] as number) - 0x30
      if (digit < 0 || digit > 9) status = 1_000
      status = status * 10 + digit
    }
    if (end - start !== 3 || status < 100 || status > 999) this.fault = 'malformed :status'
    else if (this.status !== 0 || this.listBytes > 42) this.fault = ':status twice or not first'
    else if (this.#isTrailer) this.fault = ':status in trailers'
    this.status = status
    if (status !== 200) this.#wantsAll = true
  }

  #copy(value: Uint8Array, start: number, end: number): void {
    // That of an interim response is not the one that is wanted.
    if (this.status < 200) return
    const bytes = Math.min(end - start, this.#targetBytes)
    const target = this.#target as Uint8Array
    for (let at = 0; at < bytes; at += 1) target[this.#targetAt + at] = value[start + at] as number
    if (bytes < this.#targetBytes) target.fill(0, this.#targetAt + bytes, this.#targetAt + this.#targetBytes)
  }

  #checkName(name: Uint8Array, start: number, end: number): void {
    if (end === start) this.fault = 'empty header name'
    for (let at = start; at < end; at += 1)
      if (nameBytes[name[at] as number] === 0) this.fault = `header name ${latin1(name, start, end)}`
  }
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}
