import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { hasBit } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { CampaignMessage } from '@stampede/proto/events/v1'
import { answerList } from '../domain/version-tag.ts'
import { addPasses, bumpStored, messageBody, storeBrand, type TestStore, testStore } from '../testing/store-fixture.ts'
import { bumpTime, fixParts, markHanded } from './bumps.ts'
import { raisePasses, saveMembers } from './cards.ts'
import { hideMessages, messagesOf } from './messages.ts'
import { createPhoneReads } from './phone-reads.ts'

let store: TestStore

before(async () => {
  store = await testStore()
})
after(() => store[Symbol.asyncDispose]())

const transaction: TestStore['database']['transaction'] = (run) => store.database.transaction(run)

/** What a pass shows, newest first. */
async function textsOf(no: number, limit = 10): Promise<readonly string[]> {
  const held = await messagesOf(store.database, storeBrand, BigInt(no), limit)
  return held.map(({ body }) => CampaignMessage.decode(body).texts[0]?.text ?? '')
}

async function withdraw(no: number, owner: string): Promise<ReadonlySet<bigint>> {
  return await transaction(async (tx) => {
    const member = { memberId: owner, cardNumber: '', status: 'active', locale: 'en', sealedName: undefined } as const
    await saveMembers(tx, storeBrand, [{ memberVersion: 2n, member: { ...member, marketingConsent: false } }])
    return await hideMessages(tx, storeBrand, [BigInt(no)])
  })
}

describe('a bump', () => {
  it('leaves out whoever must not be told', async () => {
    await addPasses(store.database, [
      { no: 0 },
      { no: 1, consent: false },
      { no: 2, status: 'blocked' },
      { no: 3, status: 'erased' },
      { no: 4, lifecycle: 'used' },
      { no: 5, lifecycle: 'expired' },
      { no: 6, lifecycle: 'replaced' },
      { no: 7, lifecycle: 'blocked' },
      { no: 8 },
    ])
    const { bitmap } = await transaction((tx) =>
      bumpStored(tx, { messageId: 'a', rank: 1n, nos: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] }),
    )
    const told = Array.from({ length: 10 }, (_, no) => no).filter((no) => hasBit(bitmap, no))
    assert.deepEqual(told, [0, 8, 9], 'a number without a pass is nobody')
  })

  it('that comes again is the one that is there, whoever has changed meanwhile', async () => {
    const first = await transaction((tx) => bumpStored(tx, { messageId: 'again', rank: 2n, nos: [0, 8] }))
    await store.database.query('UPDATE pass SET marketing_consent = false WHERE no = 8')
    const second = await transaction((tx) => bumpStored(tx, { messageId: 'again', rank: 2n, nos: [0, 8] }))
    await store.database.query('UPDATE pass SET marketing_consent = true WHERE no = 8')
    assert.deepEqual([first.isNew, second.isNew], [true, false])
    assert.deepEqual(second.bitmap, first.bitmap)
  })

  it('keeps the first cut of its parts, and that it was handed out', async () => {
    const key = { messageId: 'again', index: 0 }
    assert.deepEqual(await fixParts(store.database, storeBrand, key, [5, 8_192]), [5, 8_192])
    assert.deepEqual(await fixParts(store.database, storeBrand, key, [8_192]), [5, 8_192])
    await markHanded(store.database, storeBrand, [key], new Date())
    const stored = await transaction((tx) => bumpStored(tx, { messageId: 'again', rank: 2n, nos: [0] }))
    assert.deepEqual([stored.partEnds, stored.isHanded], [[5, 8_192], true])
    assert.ok((await bumpTime(store.database, storeBrand, 'again', 0)) instanceof Date)
    assert.equal(await bumpTime(store.database, storeBrand, 'again', 1), undefined)
  })
})

describe('messages of a pass', () => {
  it('are listed by rank, newest first, with its own where it came', async () => {
    await addPasses(store.database, [{ no: 20 }])
    for (const [messageId, rank] of [
      ['m5', 5n],
      ['m7', 7n],
      ['m6', 6n],
    ] as const) {
      await transaction((tx) => bumpStored(tx, { messageId, rank, nos: [20] }))
    }
    assert.deepEqual(await textsOf(20), ['m7', 'm6', 'm5'])
    assert.deepEqual(await textsOf(20, 2), ['m7', 'm6'])
    await store.database.query(
      'UPDATE pass SET own_message = $1, own_message_at = now(), own_message_seq = (SELECT message_seq FROM brand_state) WHERE no = 20',
      [messageBody('own')],
    )
    assert.deepEqual(await textsOf(20), ['own', 'm7', 'm6', 'm5'])
    await transaction((tx) => bumpStored(tx, { messageId: 'm8', rank: 8n, nos: [20] }))
    assert.deepEqual(await textsOf(20, 3), ['m8', 'own', 'm7'])
    assert.deepEqual(await textsOf(404), [])
  })

  it('go when consent is withdrawn, do not come back with it, and what phones compare still grows', async () => {
    const reads = createPhoneReads(store.database)
    const [owner = ''] = await addPasses(store.database, [{ no: 30, devices: ['phone-30'] }])
    await transaction((tx) => bumpStored(tx, { messageId: 'before', rank: 30n, nos: [30] }))
    const key = { brand: storeBrand, deviceLibraryId: 'phone-30' }
    const shown = answerList(await reads.passesOfDevice(key), '')
    const [earlier] = await reads.passesOfDevice(key)
    assert.deepEqual([...(await withdraw(30, owner))], [30n])
    await raisePasses(store.database, storeBrand, [{ no: 30n, by: 1n }], new Date())
    const [later] = await reads.passesOfDevice(key)
    const sum = (pass = later) => (pass?.version ?? 0n) + (pass?.messageSeq ?? 0n) + (pass?.designVersion ?? 0n)
    assert.ok(sum() > sum(earlier), 'Last-Modified grows')
    assert.equal(answerList(await reads.passesOfDevice(key), shown.tag).serials.length, 1)
    assert.deepEqual(await textsOf(30), [])
    await store.database.query('UPDATE pass SET marketing_consent = true WHERE no = 30')
    assert.deepEqual(await textsOf(30), [])
    await transaction((tx) => bumpStored(tx, { messageId: 'after', rank: 31n, nos: [30] }))
    assert.deepEqual(await textsOf(30), ['after'])
    const [last] = await reads.passesOfDevice(key)
    assert.ok(sum(last) > sum(), 'Last-Modified grows')
    assert.deepEqual([...(await withdraw(30, owner))], [30n])
    assert.deepEqual([...(await withdraw(30, owner))], [], 'it shows none any more')
  })

  it('do not stay when a campaign reaches a pass whose consent is just being withdrawn', async () => {
    const [owner = ''] = await addPasses(store.database, [{ no: 40 }])
    const begun = Promise.withResolvers<void>()
    const mayCommit = Promise.withResolvers<void>()
    const withdrawing = transaction(async (tx) => {
      const member = { memberId: owner, cardNumber: '', status: 'active', locale: 'en', sealedName: undefined } as const
      await saveMembers(tx, storeBrand, [{ memberVersion: 2n, member: { ...member, marketingConsent: false } }])
      await hideMessages(tx, storeBrand, [40n])
      begun.resolve()
      await mayCommit.promise
    })
    await begun.promise
    const bumping = transaction((tx) => bumpStored(tx, { messageId: 'race', rank: 40n, nos: [40] }))
    try {
      await until('the campaign waits', async () => {
        const rows = await store.database.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return rows.length > 0
      })
    } finally {
      mayCommit.resolve()
    }
    await withdrawing
    assert.equal(hasBit((await bumping).bitmap, 40), false)
    assert.deepEqual(await textsOf(40), [])
  })
})
