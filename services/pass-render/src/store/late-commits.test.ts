import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Sql } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { emptyDetails } from '../domain/card.ts'
import { answerList, lastModified } from '../domain/version-tag.ts'
import { addPasses, bumpStored, messageBody, storeBrand, type TestStore, testStore } from '../testing/store-fixture.ts'
import { lockBrandState, nextDesignSeq } from './brand-state.ts'
import { raisePasses } from './cards.ts'
import { saveOwnCards } from './own-cards.ts'
import { createPhoneReads, type PhoneReads } from './phone-reads.ts'
import { savePublication } from './publications.ts'

const deviceLibraryId = 'phone'
/** Two passes of one phone in different rows of audiences. */
const [near, far] = [7, 8_192 + 7]
let store: TestStore
let reads: PhoneReads
let owners: readonly string[]

before(async () => {
  store = await testStore()
  reads = createPhoneReads(store.database)
  owners = await addPasses(store.database, [
    { no: near, devices: [deviceLibraryId] },
    { no: far, devices: [deviceLibraryId] },
  ])
})
after(() => store[Symbol.asyncDispose]())

type Work = (tx: Sql) => Promise<unknown>

/** Numbers of the passes that the list names for a tag, and the next tag. */
async function list(tag: string): Promise<{ readonly nos: readonly number[]; readonly tag: string }> {
  const passes = await reads.passesOfDevice({ brand: storeBrand, deviceLibraryId })
  const answer = answerList(passes, tag)
  const nos = passes.filter((pass) => answer.serials.includes(pass.serial)).map((pass) => Number(pass.no))
  return { nos, tag: answer.tag }
}

/** Begins `early`, then begins and commits `late`, lets the phone list, and only then commits `early`. */
async function commitInReverse(
  early: Work,
  late: Work,
): Promise<{ readonly between: readonly number[]; readonly end: readonly number[] }> {
  const { tag } = await list('')
  const begun = Promise.withResolvers<void>()
  const mayCommit = Promise.withResolvers<void>()
  const first = store.database.transaction(async (tx) => {
    await early(tx)
    begun.resolve()
    await mayCommit.promise
  })
  await begun.promise
  await store.database.transaction(late)
  const between = await list(tag)
  mayCommit.resolve()
  await first
  return { between: between.nos, end: (await list(between.tag)).nos }
}

const reversed = { between: [far], end: [near] }

describe('a change that commits after a later one, with the list read in between, is still listed:', () => {
  const raise = (no: number) => (tx: Sql) => raisePasses(tx, storeBrand, [{ no: BigInt(no), by: 1n }], new Date())

  it('of a pass', async () => {
    assert.deepEqual(await commitInReverse(raise(near), raise(far)), reversed)
  })

  it('a message to many', async () => {
    const bump = (messageId: string, rank: bigint, no: number, base: number) => (tx: Sql) =>
      bumpStored(tx, { messageId, rank, nos: [no], base })
    // Known before: the first row of a message locks the brand, and then nobody can overtake it.
    await store.database.transaction((tx) => bumpStored(tx, { messageId: 'one', rank: 1n, base: 16_384, nos: [] }))
    await store.database.transaction((tx) => bumpStored(tx, { messageId: 'two', rank: 2n, base: 16_384, nos: [] }))
    assert.deepEqual(await commitInReverse(bump('one', 1n, near, 0), bump('two', 2n, far, 8_192)), reversed)
  })

  it('a message of the card’s own', async () => {
    const save = (place: number, no: number) => async (tx: Sql) => {
      const card = { ownerId: owners[place] ?? '', templateId: 'card', details: emptyDetails, detailsVersion: 1n }
      const own = { locale: 'en', marketingConsent: true, ownMessage: messageBody('Only for you') }
      await saveOwnCards(tx, storeBrand, [{ ...card, ...own }], new Date())
      await raise(no)(tx)
    }
    assert.deepEqual(await commitInReverse(save(0, near), save(1, far)), reversed)
  })

  it('a change of one card behind the publication of a design for all', async () => {
    const { between, end } = await commitInReverse(raise(near), publish)
    assert.deepEqual([between, end], [[near, far], [near]])
  })
})

/** Publishes the next version of the template that both passes show. */
async function publish(tx: Sql): Promise<void> {
  await lockBrandState(tx, storeBrand)
  const seq = await nextDesignSeq(tx, storeBrand)
  const canary = { canaryVersion: 0, canarySeq: 0n, canaryPermille: 0 }
  const version = Number(seq)
  const stable = { templateId: 'card', newestVersion: version, stableVersion: version, stableSeq: seq }
  await savePublication(tx, storeBrand, { ...stable, ...canary }, new Date())
}

describe('where later ones could hide it, they wait:', () => {
  /** Begins both; answers with what the list named after the first commit and after the second. */
  async function commitInTurn(first: Work, second: Work): Promise<readonly (readonly number[])[]> {
    const { tag } = await list('')
    const begun = Promise.withResolvers<void>()
    const mayCommit = Promise.withResolvers<void>()
    const one = store.database.transaction(async (tx) => {
      await first(tx)
      begun.resolve()
      await mayCommit.promise
    })
    await begun.promise
    const two = store.database.transaction(second)
    try {
      await until('the second one waits', async () => {
        const rows = await store.database.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return rows.length > 0
      })
    } finally {
      mayCommit.resolve()
    }
    await Promise.all([one, two])
    return [(await list(tag)).nos]
  }

  it('messages to the same passes', async () => {
    const bump = (messageId: string, rank: bigint) => (tx: Sql) => bumpStored(tx, { messageId, rank, nos: [near] })
    await store.database.transaction((tx) => bumpStored(tx, { messageId: 'three', rank: 3n, base: 16_384, nos: [] }))
    await store.database.transaction((tx) => bumpStored(tx, { messageId: 'four', rank: 4n, base: 16_384, nos: [] }))
    assert.deepEqual(await commitInTurn(bump('four', 4n), bump('three', 3n)), [[near]])
    const [pass] = await reads.passesOfDevice({ brand: storeBrand, deviceLibraryId })
    const rows = await store.database.query<{ version: bigint }>(
      "SELECT version FROM bump WHERE message_id = 'four' AND base = 0",
    )
    assert.equal(pass?.messageSeq, rows[0]?.version, 'the one of the higher rank is shown')
  })

  it('publications', async () => {
    assert.deepEqual(await commitInTurn(publish, publish), [[near, far]])
  })
})

describe('Last-Modified', () => {
  async function modified(no: number): Promise<number> {
    const [pass] = await reads.passesOfDevice({ brand: storeBrand, deviceLibraryId: `phone-${no}` })
    if (pass === undefined) throw new Error('the pass is registered')
    return lastModified(new Date(), pass).getTime()
  }

  it('grows when a message of a higher rank began to go out first and reaches the pass last', async () => {
    const no = 101
    await addPasses(store.database, [{ no, devices: [`phone-${no}`] }])
    const send = (messageId: string, rank: bigint, base: number) =>
      store.database.transaction((tx) => bumpStored(tx, { messageId, rank, base, nos: base === 0 ? [no] : [] }))
    await send('high', 20n, 8_192)
    await send('low', 19n, 0)
    const before = await modified(no)
    await send('high', 20n, 0)
    assert.ok((await modified(no)) > before)
  })
})
