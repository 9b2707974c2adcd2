import { setTimeout as sleep } from 'node:timers/promises'
import { notFound } from './errors.ts'
import type { Nats } from './nats.ts'
import { buckets } from './subjects.ts'
import { watchBucket } from './watch-bucket.ts'

/** A brand as every service knows it: the JSON of enrollment's Brand. */
export interface BrandInfo {
  /** Slug. */
  readonly brand: string
  /** Shown to shoppers. */
  readonly name: string
  /** IANA time zone of its day boundaries. */
  readonly timeZone: string
  /** ISO 4217. */
  readonly currency: string
  /** Apple pass type id. */
  readonly passTypeId: string
  /** Apple team. */
  readonly teamId: string
  /** Google Wallet issuer; empty when the brand has none. */
  readonly googleIssuerId: string
  /** Share of the bulk lane, 1 to 100. */
  readonly weight: number
  /** Ceiling of bulk pushes per second; 0 for none. */
  readonly maxBulkPerSecond: number
  /** Contact on the back of the card. */
  readonly contact: string
  /** What its pushes are sent as: with `none` they carry no push type. */
  readonly pushType: 'background' | 'none'
  /** 10 at once, 5 when it suits the phone's battery, 1 least. */
  readonly pushPriority: 1 | 5 | 10
  /** How long Apple keeps a push for a phone that is off, in seconds; at most 30 days. */
  readonly pushExpirationSeconds: number
  /** Own host name of its links and web service; empty for the platform's. */
  readonly domain: string
}

/** Told about a brand that is new, changed or (undefined) gone. */
export type BrandListener = (brand: string, info: BrandInfo | undefined) => void

/** All brands, in memory and kept up to date. */
export interface BrandDirectory extends AsyncDisposable {
  get(brand: string): BrandInfo | undefined
  list(): readonly BrandInfo[]
  /** Calls the listener at each later change. */
  onChange(listener: BrandListener): void
}

const defaultWeight = 10
const priorities = [1, 5, 10] as const
const defaultPriority = 5
const defaultExpirationSeconds = 86_400
/** A brand created a moment ago may still be on its way to a directory. */
const arrivalMs = 2_000
const lookMs = 20

/** Follows the directory of brands; complete when it resolves. */
export async function watchBrands(nats: Nats): Promise<BrandDirectory> {
  const known = new Map<string, BrandInfo>()
  const listeners: BrandListener[] = []
  const watch = await watchBucket(nats, buckets.brands, (key, value) => {
    const info = value === undefined ? undefined : parseBrandInfo(value)
    if (info === undefined) known.delete(key)
    else known.set(key, info)
    for (const listener of listeners) listener(key, info)
  })
  return {
    get: (brand) => known.get(brand),
    list: () => [...known.values()],
    onChange: (listener) => {
      listeners.push(listener)
    },
    [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
  }
}

/** Returns when the brand is known. Throws NOT_FOUND if it does not become known within two seconds. */
export async function expectBrand(brands: Pick<BrandDirectory, 'get'>, brand: string): Promise<void> {
  const deadline = performance.now() + arrivalMs
  while (brands.get(brand) === undefined) {
    if (performance.now() >= deadline) throw notFound()
    await sleep(lookMs)
  }
}

/** Reads one value of the bucket; undefined when it is not a brand. Fields that are missing get their defaults. */
export function parseBrandInfo(value: Uint8Array): BrandInfo | undefined {
  let record: unknown
  try {
    record = JSON.parse(Buffer.from(value).toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof record !== 'object' || record === null) return undefined
  const fields = record as Record<string, unknown>
  const text = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '')
  const number = (name: string): number => (typeof fields[name] === 'number' ? fields[name] : 0)
  if (text('brand') === '') return undefined
  return {
    brand: text('brand'),
    name: text('name'),
    timeZone: text('timeZone') || 'UTC',
    currency: text('currency'),
    passTypeId: text('passTypeId'),
    teamId: text('teamId'),
    googleIssuerId: text('googleIssuerId'),
    weight: number('weight') || defaultWeight,
    maxBulkPerSecond: number('maxBulkPerSecond'),
    contact: text('contact'),
    pushType: fields['pushType'] === 'none' ? 'none' : 'background',
    pushPriority: priorities.find((known) => known === fields['pushPriority']) ?? defaultPriority,
    pushExpirationSeconds: number('pushExpirationSeconds') || defaultExpirationSeconds,
    domain: text('domain'),
  }
}
