import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { bitmapBytes, withBits } from '@stampede/platform'
import { addPasses, storeBrand, type TestStore, testStore } from '../testing/store-fixture.ts'
import { recipientColumns } from './recipient-columns.ts'
import { dropDeadDevices, recipientsOf, register } from './registrations.ts'

let store: TestStore

before(async () => {
  store = await testStore()
})
after(() => store[Symbol.asyncDispose]())

function named(no: number, deviceLibraryId: string, token: string): Promise<unknown> {
  const wish = { no: BigInt(no), deviceLibraryId, pushToken: Buffer.from(token) }
  return store.database.transaction((tx) => register(tx, storeBrand, wish, new Date()))
}

/** Tokens of a device by pass, as a campaign reads them. */
async function tokensOf(base: number, nos: readonly number[]): Promise<readonly (readonly [number, string, string])[]> {
  const bitmap = withBits(
    new Uint8Array(bitmapBytes),
    nos.map((no) => no - base),
  )
  const { places, pushTokens, deviceLibraryIds } = await recipientColumns(
    store.database,
    storeBrand,
    BigInt(base),
    bitmap,
  )
  const text = ({ message, starts, ends }: typeof pushTokens, entry: number) =>
    Buffer.from(message.subarray(starts[entry], ends[entry])).toString()
  return [...places].map((place, entry) => [base + place, text(deviceLibraryIds, entry), text(pushTokens, entry)])
}

describe('tokens', () => {
  it('of any length, with ids of any length, are read in the order of the passes, of the addressed ones only', async () => {
    await addPasses(store.database, [{ no: 0 }, { no: 1 }, { no: 8_191 }, { no: 8_192 }])
    const long = 't'.repeat(256)
    await named(0, 'b', 'token-b')
    await named(0, 'a', long)
    await named(1, 'left-out', 'x')
    await named(8_191, 'i'.repeat(128), 'z')
    await named(8_192, 'next', 'n')
    assert.deepEqual(await tokensOf(0, [0, 8_191]), [
      [0, 'a', long],
      [0, 'b', 'token-b'],
      [8_191, 'i'.repeat(128), 'z'],
    ])
    assert.deepEqual(await tokensOf(8_192, [8_192, 8_193]), [[8_192, 'next', 'n']])
    assert.deepEqual(await tokensOf(16_384, [16_384]), [])
  })

  it('that a phone names for one pass go to all its passes', async () => {
    await addPasses(store.database, [{ no: 10 }, { no: 11 }])
    await named(10, 'phone', 'old')
    await named(11, 'phone', 'new')
    assert.deepEqual(await tokensOf(0, [10, 11]), [
      [10, 'phone', 'new'],
      [11, 'phone', 'new'],
    ])
    await named(11, 'phone', 'newest')
    const [recipient] = await recipientsOf(store.database, storeBrand, [10n, 11n])
    assert.deepEqual([recipient?.no, recipient?.pushToken.toString()], [10n, 'newest'])
  })

  it('that a phone names for two passes at once end as one, the last', async () => {
    const passes = Array.from({ length: 20 }, (_, index) => 20 + index)
    await addPasses(
      store.database,
      passes.map((no) => ({ no })),
    )
    await Promise.all(passes.map((no) => named(no, 'busy', `token-${no}`)))
    const rows = await store.database.query<{ push_token: Buffer }>(
      "SELECT push_token FROM device WHERE device_library_id = 'busy'",
    )
    const last = rows[0]?.push_token.toString()
    const tokens = (await tokensOf(0, passes)).map(([, , token]) => token)
    assert.deepEqual([...new Set(tokens)], [last])
    assert.equal(tokens.length, passes.length)
  })

  it('that are dead go with all registrations of the device', async () => {
    await named(10, 'dying', 'x')
    await named(11, 'dying', 'x')
    const dead = [{ deviceLibraryId: 'dying', notConfirmedAfter: new Date(Date.now() + 1_000) }]
    const changes = await store.database.transaction((tx) => dropDeadDevices(tx, storeBrand, dead))
    assert.deepEqual(changes.map(({ no }) => no).toSorted(), [10n, 11n])
    assert.ok((await tokensOf(0, [10, 11])).every(([, id]) => id === 'phone'))
  })
})
