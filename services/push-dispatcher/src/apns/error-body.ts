/** Longest error body that is read, in bytes. */
export const ERROR_BODY_BYTES_MAX = 4_096
/** Longest reason that is kept: Apple's have at most 30 characters. */
const REASON_CHARACTERS_MAX = 100

/** What the JSON of a refusal, or of a GOAWAY's debug data, tells. */
export interface ErrorBody {
  /** Empty when none was told. */
  readonly reason: string
  /** Unix milliseconds; 0 when not told. */
  readonly timestampMs: number
}

/** Reads it. What is not JSON, or of another shape, tells nothing. */
export function readErrorBody(bytes: Uint8Array): ErrorBody {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  try {
    const body: unknown = text === '' ? {} : JSON.parse(text)
    if (typeof body !== 'object' || body === null) return { reason: '', timestampMs: 0 }
    const reason = 'reason' in body && typeof body.reason === 'string' ? body.reason : ''
    const stamp = 'timestamp' in body ? Number(body.timestamp) : 0
    const timestampMs = Number.isSafeInteger(stamp) && stamp > 0 ? stamp : 0
    return { reason: reason.slice(0, REASON_CHARACTERS_MAX), timestampMs }
  } catch {
    return { reason: '', timestampMs: 0 }
  }
}
