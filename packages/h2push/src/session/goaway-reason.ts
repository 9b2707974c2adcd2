/** Longest reason that is passed on, in characters. */
const REASON_CHARACTERS_MAX = 200

/** What the debug data of a GOAWAY says: the `reason` of APNs' JSON, else printable text; empty when there is neither. */
export function goawayReason(bytes: Uint8Array, start: number, end: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
  return (reasonOf(text) ?? text).replaceAll(/[^\x20-\x7e]/g, '').slice(0, REASON_CHARACTERS_MAX)
}

function reasonOf(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('reason' in value)) return undefined
    return typeof value.reason === 'string' ? value.reason : undefined
  } catch {
    return undefined
  }
}
