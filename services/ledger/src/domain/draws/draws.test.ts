import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Story, spendableUntil } from '../fixture.ts'
import {
  type DrawRecord,
  drawPoints,
  drawTickets,
  listHashOf,
  replay,
  secretHashOf,
  seedOf,
  sortTickets,
  type Ticket,
  ticketsFor,
  ticketsOf,
} from './draw.ts'

const five: readonly Ticket[] = [1, 2, 3, 4, 5].map((number) => ({ ticketId: `T${number}`, holder: `m${number}` }))

describe('c21.10: a draw that anybody can check', () => {
  const steps = drawTickets(five, 'demo-2026-11', 2)
  test('T1 to T5 with the seed demo-2026-11: T5, T5 again and skipped, T3', () => {
    assert.deepEqual(
      steps.map(({ index, outcome, ticketId }) => `${index} ${ticketId} ${outcome}`),
      ['0 T5 drawn', '1 T5 same_holder', '2 T3 drawn'],
    )
    assert.equal(steps[0]?.x, 'e4b4309f74661d98')
  })

  const record: DrawRecord = {
    tickets: five,
    secretHash: secretHashOf('demo'),
    listHash: listHashOf(five),
    seed: seedOf('demo', '2026-11'),
    wanted: 2,
    steps,
  }
  const twice = [...five.slice(0, 1), ...five]
  const wrong: readonly (readonly [name: string, change: Partial<DrawRecord>, problem: string])[] = [
    ['another list', { tickets: five.slice(1) }, 'the list is not the one that was published'],
    ['a list in another order', { tickets: five.toReversed() }, 'the list is not sorted'],
    ['a ticket twice', { tickets: twice }, 'a ticket is in the list twice'],
    ['another secret', { seed: 'other-2026-11' }, 'the secret is not the one that was announced'],
    ['another public value', { seed: 'demo-2026-12' }, 'number 0 of the seed says otherwise'],
    ['a step left out', { steps: steps.filter(({ index }) => index !== 1) }, 'number 1 of the seed says otherwise'],
    ['a step too many', { wanted: 1 }, 'number 1 of the seed says otherwise'],
  ]
  test('its record replays', () => assert.equal(replay(record), undefined))
  for (const [name, change, problem] of wrong) {
    test(`${name} is found`, () => assert.equal(replay({ ...record, ...change }), problem))
  }

  test('it ends when all holders are drawn, and with nobody at once', () => {
    const two = [...five.slice(0, 1), { ticketId: 'T9', holder: 'm1' }]
    const drawn = drawTickets(two, 'any', 5).filter(({ outcome }) => outcome === 'drawn')
    assert.equal(drawn.length, 1)
    assert.deepEqual(drawTickets([], 'any', 5), [])
  })

  test('10,000 draws take every one of seven tickets about as often', () => {
    const seven = Array.from({ length: 7 }, (_, number) => ({ ticketId: `${number}`, holder: `${number}` }))
    const hits = new Map<string, number>()
    for (let seed = 0; seed < 10_000; seed += 1) {
      const ticketId = drawTickets(seven, `${seed}`, 1).at(-1)?.ticketId ?? ''
      hits.set(ticketId, (hits.get(ticketId) ?? 0) + 1)
    }
    for (const count of hits.values()) assert.ok(Math.abs(count - 10_000 / 7) < 150, `${count}`)
  })
})

describe('c21.10: tickets', () => {
  test('one from the threshold on, or one for each full threshold', () => {
    const one = { threshold: 1_000n, ticketsMax: 1n }
    assert.deepEqual(
      [1_200n, 1_000n, 990n].map((points) => ticketsFor(points, one)),
      [1n, 1n, 0n],
    )
    assert.equal(ticketsFor(3_999n, { threshold: 1_000n, ticketsMax: 1_000n }), 3n)
    assert.equal(drawPoints(12_099n, { earnBasisPoints: 1_000n }), 1_209n)
  })
  test('ids are sorted by bytes; tickets of a member have one holder, and nobody else has it', () => {
    const sorted = sortTickets(['b', 'a', 'B', 'é'].map((ticketId) => ({ ticketId })))
    assert.deepEqual(
      sorted.map(({ ticketId }) => ticketId),
      ['B', 'a', 'b', 'é'],
    )
    const [ann, bob] = ['ann', 'bob'].map((name) => ticketsOf('demo', 'november', name, 2n))
    assert.equal(new Set(ann?.map(({ holder }) => holder)).size, 1)
    assert.notEqual(ann?.[0]?.holder, bob?.[0]?.holder)
    assert.equal(new Set([...(ann ?? []), ...(bob ?? [])].map(({ ticketId }) => ticketId)).size, 4)
  })
})

describe('c21.10: burnt points', () => {
  const story = () => {
    const told = new Story()
    const { earnedTerm } = spendableUntil(Number.POSITIVE_INFINITY)
    const common = { occurredAtMs: 0, funder: '', repayBasisPoints: 10_000n, against: 'issued' } as const
    told.do({ kind: 'grant', grantId: 'sale', points: 1_200n, earnedTerm, ...common })
    return told
  }
  const revoke = { kind: 'revoke', revokeId: 'sale', points: 50n, occurredAtMs: 0, grantId: 'sale' } as const
  const back = { ...revoke, against: 'issued', mayMakeDebt: true } as const
  test('a return before the cut-off takes points back', () => {
    const told = story()
    told.do(back)
    assert.deepEqual([told.account.available, told.account.debt], [1_150n, 0n])
  })
  test('after it the burn is taken back instead: issued +50, expired -50, and no debt', () => {
    const told = story()
    const burn = told.do({ kind: 'burn', atMs: 5 })
    assert.deepEqual(burn.postings[0]?.entries, [
      { account: 'expired', amount: 1_200n },
      { account: 'available', amount: -1_200n },
    ])
    const { postings } = told.do({ ...back, isBurnt: true })
    assert.deepEqual(postings[0]?.entries, [
      { account: 'expired', amount: -50n },
      { account: 'issued', amount: 50n },
    ])
    assert.deepEqual([told.account.available, told.account.debt, told.account.lifetimeEarned], [0n, 0n, 1_150n])
  })
})
