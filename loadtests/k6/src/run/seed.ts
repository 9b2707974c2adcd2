import { randomUUID } from 'node:crypto'
import { until } from '@stampede/platform/testing'
import type { Phone } from '../plan/fixture.ts'
import { ownPhoneEvery } from '../plan/sizing.ts'
import { loadStores } from './brand.ts'
import type { Clients } from './clients.ts'
import type { SandboxControl } from './sandbox.ts'

/** Members, cards and phones that a run needs. */
export interface Seeded {
  readonly memberIds: readonly string[]
  /** Those that k6 plays. */
  readonly phones: readonly Phone[]
}

/** What seeding works with. */
export interface SeedInput {
  readonly brand: string
  readonly cards: number
  readonly clients: Clients
  /** Undefined: no phone installs anything. */
  readonly sandbox: SandboxControl | undefined
  readonly say: (line: string) => void
}

const batchSize = 500
const installSize = 1_000
const passesMs = 600_000
const ingestMs = 600_000
const installTries = 5
const progressEveryMs = 10_000

/** Enrols members, gives each a first purchase and puts the cards on phones; what is there already stays. */
export async function seed(input: SeedInput): Promise<Seeded> {
  const memberIds = await enrolMembers(input)
  await postFirstPurchases(input, memberIds)
  const cards = await awaitCards(input, new Set(memberIds))
  if (input.sandbox !== undefined) await installCards(input, input.sandbox, cards)
  await until(
    'analytics to know all cards',
    async () => Number((await input.clients.analytics.getIngestState({ brand: input.brand })).passes) >= cards.length,
    ingestMs,
  )
  const phones = input.sandbox === undefined ? [] : await ownPhones(input.sandbox, cards)
  return { memberIds, phones }
}

interface Card {
  readonly serial: string
  readonly appleUrl: string
  readonly devices: number
  readonly isOwn: boolean
}

/** Whether the member's phone is one that k6 plays. */
function isOwn(index: number): boolean {
  return index % ownPhoneEvery === 0
}

async function enrolMembers({ brand, cards, clients, say }: SeedInput): Promise<readonly string[]> {
  const ids: string[] = []
  for (let start = 0; start < cards; start += batchSize) {
    const { results } = await clients.enrollment.importMembers({
      brand,
      members: Array.from({ length: Math.min(batchSize, cards - start) }, (_, offset) => ({
        idempotencyKey: `load/member/${start + offset}`,
        member: {
          reference: `load-${start + offset}`,
          firstName: `Member ${start + offset}`,
          lastName: 'Load',
          locale: 'en-GB',
          marketingConsent: !isOwn(start + offset),
        },
      })),
    })
    for (const { result } of results) {
      if (result?.$case !== 'member') throw new Error(`enrolling: ${result?.value.message ?? 'no answer'}`)
      ids.push(result.value.memberId)
    }
  }
  say(`${ids.length} members are enrolled`)
  return ids
}

/** Points to spend from the first minute on. The keys make a repeat harmless. */
async function postFirstPurchases({ brand, clients, say }: SeedInput, memberIds: readonly string[]): Promise<void> {
  const sale = (memberId: string) => ({
    idempotencyKey: `load/first/${memberId}`,
    brand,
    memberId,
    storeId: loadStores[0] ?? '',
    tillId: 'load-first',
    number: memberId,
    // Fixed, as the key's answer is kept for this very request.
    occurredAt: firstDay,
    lines: [{ sku: 'first', quantity: 1n, amountMinor: 20_000n, category: '' }],
  })
  for (let start = 0; start < memberIds.length; start += batchSize) {
    const batch = memberIds.slice(start, start + batchSize)
    const items = batch.map((memberId) => ({ item: { $case: 'sale' as const, value: sale(memberId) } }))
    const { results } = await clients.ledger.postReceiptBatch({ brand, items })
    for (const { result } of results) {
      if (result?.$case !== 'sale') throw new Error(`first purchases: ${JSON.stringify(result?.value)}`)
    }
  }
  say('every member has points of a first purchase')
}

/** First of the current month: recent enough for points to be alive, the same over the runs of a month. */
const firstDay = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth(), 1))

async function awaitCards({ brand, clients, say }: SeedInput, wanted: ReadonlySet<string>): Promise<readonly Card[]> {
  const order = new Map([...wanted].map((memberId, index) => [memberId, index]))
  const cards = new Map<string, Card>()
  let pageToken = ''
  await until(
    'cards of all members',
    async () => {
      const page = await clients.passes.listPasses({ brand, pageSize: 1_000, pageToken })
      for (const { memberId, serial, appleUrl, devices } of page.passes) {
        const index = order.get(memberId)
        if (index !== undefined) cards.set(memberId, { serial, appleUrl, devices, isOwn: isOwn(index) })
      }
      // The last page is asked again until its members are there.
      if (page.nextPageToken !== '') pageToken = page.nextPageToken
      return cards.size === wanted.size
    },
    passesMs,
  )
  say(`${cards.size} cards are there`)
  return [...cards.values()]
}

async function installCards({ say }: SeedInput, sandbox: SandboxControl, cards: readonly Card[]): Promise<void> {
  let waiting = cards.filter(({ devices }) => devices === 0).map(({ appleUrl }) => appleUrl)
  const startedAt = performance.now()
  let [done, saidAt] = [0, startedAt]
  const total = waiting.length
  while (waiting.length > 0) {
    const urls = waiting.slice(0, installSize)
    waiting = waiting.slice(installSize)
    await installAll(sandbox, urls)
    done += urls.length
    if (performance.now() - saidAt < progressEveryMs) continue
    saidAt = performance.now()
    say(`${done} of ${total} cards are on phones`)
  }
  const seconds = (performance.now() - startedAt) / 1_000
  say(`${total} cards were installed on phones, ${Math.round(total / Math.max(seconds, 0.001))} per second`)
}

/** A phone that was turned away is tapped again: what is installed already is left alone. */
async function installAll(sandbox: SandboxControl, urls: readonly string[]): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const { failed, reason } = await sandbox.install(urls, () => undefined)
    if (failed === 0) return
    if (tries === installTries) throw new Error(`${failed} phones could not install their card: ${reason}`)
  }
}

async function ownPhones(sandbox: SandboxControl, cards: readonly Card[]): Promise<readonly Phone[]> {
  const own = new Set(cards.filter((card) => card.isOwn).map(({ serial }) => serial))
  const phones = new Map<string, Phone>()
  for await (const row of sandbox.phoneRows()) {
    if (row.event !== 'install' || !own.has(row.serial)) continue
    const { device, passTypeId, serial, authToken } = row
    phones.set(serial, { device, passTypeId, serial, authToken, webServiceUrl: row.webServiceUrl.replace(/\/+$/, '') })
  }
  return [...phones.values()]
}

/** A key for tills, and one for the marketer. A fresh name each time: the secret is shown once. */
export async function makeKeys({ enrollment }: Clients, brand: string) {
  const make = async (role: string): Promise<string> => {
    const { secret } = await enrollment.createApiKey({
      idempotencyKey: randomUUID(),
      brand,
      role,
      label: `load ${role}`,
    })
    if (secret === '') throw new Error(`no key for ${role}`)
    return secret
  }
  return { tillKey: await make('till'), marketerKey: await make('marketer') }
}
