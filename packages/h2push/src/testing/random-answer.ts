import type { Random } from '../hpack/testing/random.ts'
import type { Header } from '../request/outcome.ts'

/** What a server answers. */
export interface Answer {
  /** Interim responses before it, each with its `:status`. */
  readonly interim: readonly (readonly Header[])[]
  readonly status: number
  /** Without `:status`. */
  readonly headers: readonly Header[]
  /** Value of the header `apns-id`: different for each answer. */
  readonly apnsId: string
  readonly body: Buffer
  readonly trailers: readonly Header[]
}

const reasons = ['BadDeviceToken', 'Unregistered', 'TooManyRequests', 'PayloadEmpty', 'Shutdown']
const statuses = [200, 200, 201, 204, 304, 400, 403, 405, 410, 413, 429, 500, 503, 999]
const extras: readonly Header[] = [
  ['date', 'Tue, 03 Mar 2026 08:00:00 GMT'],
  ['server', 'nasty/1.0'],
  ['x-empty', ''],
  ['set-cookie', 'a=1'],
  ['set-cookie', 'b=2; Secure'],
  ['cache-control', 'no-store'],
  ['retry-after', '2'],
  ['x-latin', 'caf\xe9'],
  ['x-odd', '~!@#$%^&*()_+{}|:"<>?`-=[]\\;\',./'],
]

/** A random answer, more than half of the time the plainest: a 200 and an id. */
export function randomAnswer(random: Random, bodyBytesMax: number): Answer {
  const apnsId = randomUuid(random)
  const id = ['apns-id', apnsId] as const
  if (!random.once(3)) return { interim: [], status: 200, headers: [id], apnsId, body: noBody, trailers: [] }
  const status = random.of(statuses)
  const hasBody = status !== 204 && status !== 304 && !random.once(3)
  const body = hasBody ? randomBody(random, status, bodyBytesMax) : noBody
  const headers: Header[] = randomHeaders(random, 4)
  headers.splice(random.below(headers.length + 1), 0, id)
  if (hasBody && random.once(2)) headers.push(['content-length', String(body.length)])
  const interim = random.once(6) ? Array.from({ length: 1 + random.below(3) }, () => randomInterim(random)) : []
  const trailers = random.once(6) ? randomHeaders(random, 3) : []
  return { interim, status, headers, apnsId, body, trailers }
}

/** Some headers that mean nothing. */
function randomHeaders(random: Random, most: number): Header[] {
  return Array.from({ length: random.below(most + 1) }, () => {
    if (random.once(3)) return [`x-${random.below(1_000)}`, 'v'.repeat(random.below(random.once(20) ? 2_000 : 40))]
    return random.of(extras)
  })
}

function randomInterim(random: Random): readonly Header[] {
  const status = random.of(['100', '102', '103', '103', '199'])
  return [
    [':status', status],
    ...randomHeaders(random, 2),
    ...(random.once(3) ? [['apns-id', 'INTERIM'] as const] : []),
  ]
}

function randomBody(random: Random, status: number, bytesMax: number): Buffer {
  if (status >= 400 && !random.once(3)) return Buffer.from(`{"reason":"${random.of(reasons)}"}`)
  const most = random.once(8) ? bytesMax : Math.min(bytesMax, 600)
  return Buffer.alloc(random.below(most + 1), `body ${random.below(1_000_000)} `)
}

function randomUuid(random: Random): string {
  const hex = (): string => random.below(0x1_0000_0000).toString(16).padStart(8, '0')
  const digits = `${hex()}${hex()}${hex()}${hex()}`.toUpperCase()
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

const noBody = Buffer.alloc(0)
