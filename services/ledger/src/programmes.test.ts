import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { connectNats, createLogger, ensureStreams } from '@stampede/platform'
import { platformEnv, testKeys, testNats, testPostgres } from '@stampede/platform/testing'
import { service } from './index.ts'
import { member } from './testing/ledger.ts'

/** An example of the docs: a programme, and calls that show what it does. */
interface Example {
  readonly about: string
  readonly programme: object
  readonly steps: readonly Step[]
}

interface Step {
  /** Verb and path below the brand. */
  readonly do: string
  readonly body?: Readonly<Record<string, unknown>>
  /** A part of the answer. */
  readonly expects: unknown
  /** Values of the answer for later steps, by name; a path such as `cards.0.code`. */
  readonly keep?: Readonly<Record<string, string>>
}

const folder = new URL('../../../docs/programmes/', import.meta.url)
const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
const brandOf = (name: string) => name.replace('.json', '')

describe('the programmes of the docs do what they say, through HTTP', () => {
  const stack = new AsyncDisposableStack()
  const keys = testKeys()
  let url = ''

  before(async () => {
    const postgres = stack.use(await testPostgres())
    const broker = stack.use(await testNats())
    const nats = stack.use(await connectNats({ url: broker.url, name: 'test', logger: createLogger('test', 'silent') }))
    await ensureStreams(nats)
    const brands = await nats.kv('brands')
    for (const name of names) {
      const brand = { brand: brandOf(name), name, timeZone: 'Europe/Berlin', currency: 'EUR' }
      await brands.put(brandOf(name), JSON.stringify(brand))
    }
    const running = stack.use(await service.start(platformEnv({ postgres, nats: broker, keys })))
    url = `http://127.0.0.1:${running.httpPort}`
  })
  after(() => stack.disposeAsync())

  for (const name of names) {
    const { about, programme, steps } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Example
    test(`${brandOf(name)}: ${about}`, async () => {
      const base = `/v1/brands/${brandOf(name)}`
      const call = async (verb: string, path: string, body: object | undefined) => {
        const headers = { authorization: `Bearer ${keys.rootKey}`, 'content-type': 'application/json' }
        const init = { method: verb, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
        const answer = await fetch(`${url}${base}/${path}`, init)
        return (await answer.json()) as Record<string, unknown>
      }
      const published = await call('PUT', 'programme', { idempotencyKey: 'programme', programme })
      assert.deepEqual(published, { version: 1 })
      const kept: Record<string, string> = { member: member(name) }
      for (const [index, step] of steps.entries()) {
        const [verb = '', path = ''] = fill(step.do, kept).split(' ')
        const answer = await call(verb, path, verb === 'GET' ? undefined : bodyOf(path, step, { index, kept }))
        assert.deepEqual(partOf(answer, step.expects), step.expects, `step ${index}: ${JSON.stringify(answer)}`)
        for (const [keep, field] of Object.entries(step.keep ?? {})) kept[keep] = String(valueAt(answer, field))
      }
    })
  }
})

/** What every call needs besides what the example is about. */
function bodyOf(
  path: string,
  { body }: Step,
  { index, kept }: { readonly index: number; readonly kept: Record<string, string> },
) {
  const own = JSON.parse(fill(JSON.stringify(body ?? {}), kept)) as object
  const idempotencyKey = `step-${index}`
  const occurredAt = new Date().toISOString()
  if (path === 'gift-cards:balance') return own
  if (path === 'receipts:quote') return { memberId: kept['member'], ...own }
  if (path === 'receipts')
    return { idempotencyKey, memberId: kept['member'], storeId: 's1', tillId: '1', occurredAt, ...own }
  if (path === 'receipts:return') return { idempotencyKey, occurredAt, ...own }
  return { idempotencyKey, ...own }
}

function fill(text: string, kept: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => kept[name] ?? whole)
}

function valueAt(answer: unknown, path: string): unknown {
  let value = answer
  for (const part of path.split('.')) value = (value as Record<string, unknown>)[part]
  return value
}

/** Of an answer, what an expectation speaks of. */
function partOf(answer: unknown, expected: unknown): unknown {
  if (Array.isArray(expected) && Array.isArray(answer)) {
    return expected.map((one, index) => partOf((answer as unknown[])[index], one))
  }
  if (typeof expected !== 'object' || expected === null || typeof answer !== 'object' || answer === null) return answer
  const fields = answer as Record<string, unknown>
  return Object.fromEntries(Object.entries(expected).map(([name, one]) => [name, partOf(fields[name], one)]))
}
