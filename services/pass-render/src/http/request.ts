import type { IncomingMessage } from 'node:http'

/** Largest body of a registration, in bytes. */
export const MAX_REGISTRATION_BYTES = 8 * 1024
/** Largest body of a log, in bytes. */
export const MAX_LOG_BYTES = 64 * 1024

/** A body, or why there is none. */
export type Body = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly status: 400 | 413 }

/** Reads a JSON body up to the limit. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<Body> {
  const parts: Buffer[] = []
  let total = 0
  for await (const part of request) {
    const bytes = Buffer.from(part)
    total += bytes.length
    if (total > maxBytes) return { ok: false, status: 413 }
    parts.push(bytes)
  }
  try {
    return { ok: true, value: JSON.parse(Buffer.concat(parts).toString('utf8')) }
  } catch {
    return { ok: false, status: 400 }
  }
}

/** The parts of the path, decoded; undefined when it cannot be. */
export function pathParts(url: string): readonly string[] | undefined {
  const path = url.split('?', 1)[0] ?? ''
  try {
    return path.split('/').slice(1).map(decodeURIComponent)
  } catch {
    return undefined
  }
}

/** One parameter of the query; undefined when absent. */
export function queryParameter(url: string, name: string): string | undefined {
  const at = url.indexOf('?')
  return at < 0 ? undefined : (new URLSearchParams(url.slice(at + 1)).get(name) ?? undefined)
}
