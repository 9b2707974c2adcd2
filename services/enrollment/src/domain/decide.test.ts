import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Candidate, type Claim, claimId, decideEnrolments, type Known } from './decide.ts'

const nothing: Known = { requests: new Map(), claimed: new Set() }
const email = (value: string): Claim => ({ kind: 'email', value })

function candidate(position: number, idempotencyKey: string, bodyHash: string, ...claims: Claim[]): Candidate {
  return { position, idempotencyKey, bodyHash, claims }
}

test('unrelated items are all created', () => {
  const decisions = decideEnrolments([candidate(0, 'a', '1', email('x')), candidate(1, 'b', '2', email('y'))], nothing)
  assert.deepEqual([...decisions.values()], [{ kind: 'create' }, { kind: 'create' }])
})

test('a key of an earlier request repeats it, or conflicts when the body differs', () => {
  const known: Known = { ...nothing, requests: new Map([['a', { bodyHash: '1', memberId: 'm' }]]) }
  const decisions = decideEnrolments([candidate(0, 'a', '1'), candidate(1, 'a', '2')], known)
  assert.deepEqual(decisions.get(0), { kind: 'replay', memberId: 'm' })
  assert.deepEqual(decisions.get(1), { kind: 'conflict' })
})

test('a repeat whose own e-mail address is of course taken by its first run is still a repeat', () => {
  const known: Known = {
    requests: new Map([['a', { bodyHash: '1', memberId: 'm' }]]),
    claimed: new Set([claimId(email('x'))]),
  }
  assert.deepEqual(decideEnrolments([candidate(0, 'a', '1', email('x'))], known).get(0), {
    kind: 'replay',
    memberId: 'm',
  })
})

test('the same key twice in one batch gives one member, or a conflict when the body differs', () => {
  const batch = [candidate(0, 'a', '1', email('x')), candidate(1, 'a', '1', email('x')), candidate(2, 'a', '2')]
  const decisions = decideEnrolments(batch, nothing)
  assert.deepEqual(
    [...decisions.values()],
    [{ kind: 'create' }, { kind: 'replay-of', position: 0 }, { kind: 'conflict' }],
  )
})

test('a value taken by an earlier member, or by an earlier item, is refused', () => {
  const known: Known = { ...nothing, claimed: new Set([claimId(email('x'))]) }
  const batch = [
    candidate(0, 'a', '1', email('x')),
    candidate(1, 'b', '2', email('y')),
    candidate(2, 'c', '3', email('y')),
  ]
  const decisions = decideEnrolments(batch, known)
  assert.deepEqual(
    [...decisions.values()],
    [{ kind: 'taken', by: 'email' }, { kind: 'create' }, { kind: 'taken', by: 'email' }],
  )
})

test('an item that fails takes nothing from those behind it', () => {
  const known: Known = { ...nothing, claimed: new Set([claimId(email('x'))]) }
  const reference: Claim = { kind: 'reference', value: 'r' }
  const batch = [candidate(0, 'a', '1', email('x'), reference), candidate(1, 'a', '2', reference)]
  assert.deepEqual(decideEnrolments(batch, known).get(1), { kind: 'create' })
})

test('equal values of different kinds do not meet', () => {
  const batch = [candidate(0, 'a', '1', email('x')), candidate(1, 'b', '2', { kind: 'phone', value: 'x' })]
  assert.deepEqual(decideEnrolments(batch, nothing).get(1), { kind: 'create' })
})

test('one batch decides like its items one by one', () => {
  const item = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    body: fc.constantFrom('1', '2'),
    mail: fc.constantFrom('x', 'y', 'z'),
  })
  fc.assert(
    fc.property(fc.array(item, { maxLength: 12 }), (items) => {
      const batch = items.map(({ key, body, mail }, position) => candidate(position, key, body, email(mail)))
      const together = decideEnrolments(batch, nothing)
      const requests = new Map<string, { bodyHash: string; memberId: string }>()
      const claimed = new Set<string>()
      for (const one of batch) {
        const alone = decideEnrolments([one], { requests, claimed }).get(one.position)
        const decision = together.get(one.position)
        if (decision?.kind === 'replay-of')
          assert.deepEqual(alone, { kind: 'replay', memberId: String(decision.position) })
        else assert.deepEqual(alone, decision)
        if (alone?.kind !== 'create') continue
        requests.set(one.idempotencyKey, { bodyHash: one.bodyHash, memberId: String(one.position) })
        for (const claim of one.claims) claimed.add(claimId(claim))
      }
    }),
  )
})
