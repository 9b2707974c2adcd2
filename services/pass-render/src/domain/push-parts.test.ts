import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { passesPerRow } from '@stampede/platform'
import { PushChunk } from '@stampede/proto/push/v1'
import fc from 'fast-check'
import { cutParts, MAX_CHUNK_RECIPIENTS, type RecipientColumns, refillParts, writePushChunk } from './push-parts.ts'

interface Phone {
  readonly place: number
  readonly id: string
  readonly token: Uint8Array
}

function columnsOf(phones: readonly Phone[]): RecipientColumns {
  const column = (parts: readonly Uint8Array[]) => {
    const ends = parts.map((_, entry) => parts.slice(0, entry + 1).reduce((sum, part) => sum + part.length, 0))
    return { message: Buffer.concat(parts), starts: ends.map((end, entry) => end - (parts[entry]?.length ?? 0)), ends }
  }
  return {
    places: Uint16Array.from(phones, ({ place }) => place),
    pushTokens: column(phones.map(({ token }) => token)),
    deviceLibraryIds: column(phones.map(({ id }) => Buffer.from(id))),
  }
}

const phone = fc.record({
  place: fc.nat({ max: passesPerRow - 1 }),
  id: fc.integer({ min: 0, max: 400 }).map((number) => `device-${number}`),
  token: fc.uint8Array({ minLength: 1, maxLength: 200 }),
})
const rows = fc.uniqueArray(phone, { maxLength: 60, selector: ({ place, id }) => `${place}/${id}` }).map(inOrder)

function inOrder(phones: readonly Phone[]): readonly Phone[] {
  return [...phones].sort((a, b) => a.place - b.place || (a.id < b.id ? -1 : 1))
}

/** Phones `from` to before `to`, each on a pass of its own. */
function many(from: number, to: number): readonly Phone[] {
  return Array.from({ length: to - from }, (_, index) => ({
    place: from + index,
    id: `many-${from + index}`,
    token: Uint8Array.of(1, 2, 3),
  }))
}

describe('parts of a row', () => {
  it('hold each device once, with its first pass', () => {
    fc.assert(
      fc.property(rows, (phones) => {
        const { ends, parts } = cutParts(columnsOf(phones))
        const woken = parts.flatMap((part) => [...part].map((index) => phones[index]))
        const firsts = [...new Map([...phones].reverse().map((one) => [one.id, one])).values()]
        assert.deepEqual(inOrder(woken.flatMap((one) => one ?? [])), inOrder(firsts))
        assert.equal(ends.length, parts.length)
      }),
    )
  })

  it('are of a thousand at the most and never divide a pass', () => {
    const shared = Array.from({ length: 16 }, (_, copy) => ({
      place: 995,
      id: `copy-${copy}`,
      token: Uint8Array.of(copy),
    }))
    const phones = inOrder([...many(0, 995), ...shared, ...many(996, 3_000)])
    const { ends, parts } = cutParts(columnsOf(phones))
    assert.deepEqual(ends, [995, 1_980, 2_980, passesPerRow])
    assert.deepEqual(
      parts.map((part) => part.length),
      [995, 1_000, 1_000, 20],
    )
    assert.ok(parts.every((part) => part.length <= MAX_CHUNK_RECIPIENTS))
  })

  it('of a row without phones are none', () => {
    assert.deepEqual(cutParts(columnsOf([])), { ends: [], parts: [] })
  })

  it('that were cut before are the same passes, whatever was registered or removed meanwhile', () => {
    const { ends } = cutParts(columnsOf(many(0, 2_500)))
    assert.deepEqual(ends, [1_000, 2_000, passesPerRow])
    const phones = inOrder([...many(0, 10), ...many(2_100, 4_000), { place: 5, id: 'new', token: Uint8Array.of(9) }])
    const { parts } = refillParts(columnsOf(phones), ends)
    const placesOf = (part: Uint32Array) => [...part].map((index) => phones[index]?.place ?? -1)
    assert.deepEqual(
      parts.map((part) => part.length),
      [11, 0, 1_900],
    )
    assert.ok(placesOf(parts[0] ?? new Uint32Array()).every((place) => place < 1_000))
    assert.ok(placesOf(parts[2] ?? new Uint32Array()).every((place) => place >= 2_000))
  })

  it('that were cut before wake a device in each of them: the part that woke it may be another one now', () => {
    const phones = [3, 4, 1_500].map((place) => ({ place, id: 'one', token: Uint8Array.of(place & 0xff) }))
    const { parts } = refillParts(columnsOf(phones), [1_000, passesPerRow])
    assert.deepEqual(
      parts.map((part) => [...part]),
      [[0], [2]],
    )
  })
})

describe('a PushChunk of selected recipients', () => {
  it('is what the generated codec writes', () => {
    const cases = fc.record({ phones: rows, base: fc.nat({ max: 1_000_000 }), odd: fc.boolean() })
    fc.assert(
      fc.property(cases, ({ phones, base, odd }) => {
        const selection = Uint32Array.from([...phones.keys()].filter((index) => !odd || index % 2 === 1))
        const head = {
          chunkId: 'campaign/1/0of1',
          brand: 'brand',
          campaignId: 'campaign',
          topic: 'pass.topic',
          createdAt: new Date(1_700_000_000_000),
          expiresAfterSeconds: 3_600,
        }
        const chosen = [...selection].flatMap((index) => phones[index] ?? [])
        const bytes = writePushChunk(head, BigInt(base * passesPerRow), columnsOf(phones), selection)
        assert.deepEqual(PushChunk.decode(bytes), {
          ...head,
          pushTokens: chosen.map(({ token }) => Buffer.from(token)),
          passNo: chosen.map(({ place }) => BigInt(base * passesPerRow + place)),
          deviceLibraryId: chosen.map(({ id }) => id),
        })
      }),
    )
  })
})
