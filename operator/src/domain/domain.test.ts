import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Brand } from '../crd/brand.ts'
import {
  type CertificateFacts,
  type CertificateInput,
  currentRecord,
  type KeyRecord,
  nextRevision,
  pendingRecord,
  whyIssue,
} from './certificate.ts'
import { findConflict } from './conflicts.ts'
import { DOMAINS_MAX, domainsOf } from './domains.ts'
import { renewalTimeMs } from './renewal.ts'
import { retryDelayMs, waitBeforeRetryMs } from './retry.ts'
import { type IssuingState, nextStep } from './steps.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const year = { notBeforeMs: 0, notAfterMs: 365 * DAY_MS }
const facts: CertificateFacts = { serialNumber: 'A1', fingerprint: 'AA', type: 'PassTypeId', ...year }
const damage = { reason: 'WrongKey', message: 'keyPem: does not belong' }

function record(revision: number, more: Partial<KeyRecord> = {}): KeyRecord {
  return { revision, secretName: `acme-apple-${revision}`, ...more }
}

function input(records: readonly KeyRecord[], more: Partial<CertificateInput> = {}): CertificateInput {
  return { nowMs: 10 * DAY_MS, uid: 'u', wanted: 'PassTypeId', renewBefore: undefined, records, ...more }
}

const due: readonly [name: string, input: CertificateInput, reason: string | undefined, message: RegExp | undefined][] =
  [
    ['a brand without certificate', input([]), 'DoesNotExist', /no certificate yet/],
    ['a key that waits', input([record(1)]), 'DoesNotExist', /no certificate yet/],
    ['a good certificate', input([record(1, { certificate: facts })]), undefined, undefined],
    ['one that was damaged', input([record(1, { damage })]), 'InvalidCertificate', /does not belong/],
    [
      'a damaged one after a good one',
      input([record(1, { certificate: facts }), record(2, { damage })]),
      undefined,
      undefined,
    ],
    [
      'one past two thirds of its life',
      input([record(1, { certificate: facts })], { nowMs: 256 * DAY_MS }),
      'Renewing',
      /since/,
    ],
    [
      'one that has ended',
      input([record(1, { certificate: facts })], { nowMs: 365 * DAY_MS }),
      'Expired',
      /expired at 1971/,
    ],
    [
      'one of another kind',
      input([record(1, { certificate: facts })], { wanted: 'PassTypeIdWithNfc' }),
      'TypeChanged',
      /not a PassTypeIdWithNfc/,
    ],
  ]
for (const [name, given, reason, message] of due) {
  test(`${name} ${reason === undefined ? 'will do' : `leads to ${reason}`}`, () => {
    const finding = whyIssue(given)
    assert.equal(finding?.reason, reason)
    if (message !== undefined) assert.match(finding?.message ?? '', message)
  })
}

test('the newest usable certificate is current, and only a key newer than all certificates waits', () => {
  const [old, recent] = [record(1, { certificate: facts }), record(2, { certificate: facts })]
  assert.equal(currentRecord([recent, old])?.revision, 2)
  assert.equal(currentRecord([old, record(2, { certificate: facts, damage })])?.revision, 1)
  assert.equal(pendingRecord([record(1), recent]), undefined)
  assert.equal(pendingRecord([record(3), recent])?.revision, 3)
  assert.equal(pendingRecord([record(3, { damage }), recent]), undefined)
  assert.equal(nextRevision([]), 1)
  assert.equal(nextRevision([record(3), recent]), 4)
})

test('renewal is at two thirds of the life, up to a thirtieth later, whole seconds, the same each time', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 60_000, max: 400 * DAY_MS }), (seed, lifeMs) => {
      const life = { notBeforeMs: 1_000, notAfterMs: 1_000 + lifeMs }
      const atMs = renewalTimeMs(life, undefined, seed)
      assert.equal(atMs % 1000, 0)
      assert.equal(atMs, renewalTimeMs(life, undefined, seed))
      assert.ok(atMs >= life.notBeforeMs + (2 / 3) * lifeMs - 1001, 'not before two thirds')
      assert.ok(atMs <= life.notBeforeMs + (2 / 3 + 1 / 30) * lifeMs, 'not much later')
    }),
  )
})

test('renewBefore counts from the end; one as long as the life is not followed', () => {
  const atMs = renewalTimeMs(year, '720h', 'seed')
  assert.ok(atMs >= year.notAfterMs - 720 * HOUR_MS && atMs <= year.notAfterMs - 648 * HOUR_MS)
  const short = { notBeforeMs: 0, notAfterMs: 24 * HOUR_MS }
  assert.equal(renewalTimeMs(short, '720h', 'seed'), renewalTimeMs(short, undefined, 'seed'))
})

test('500 brands that were added at once renew over more than a week, no day with more than a fifth', () => {
  const days = new Map<number, number>()
  for (let brand = 0; brand < 500; brand += 1) {
    const day = Math.floor(renewalTimeMs(year, undefined, `uid-${brand}`) / DAY_MS)
    days.set(day, (days.get(day) ?? 0) + 1)
  }
  assert.ok(days.size > 7, `${days.size} days`)
  assert.ok(Math.max(...days.values()) < 100)
})

test('temporary failures are tried again from seconds to ten minutes, refusals from an hour to 32', () => {
  const waits = (temporary: boolean) => [1, 2, 3, 20].map((attempts) => retryDelayMs({ temporary }, attempts, 10_000))
  assert.deepEqual(waits(true), [10_000, 20_000, 40_000, 600_000])
  assert.deepEqual(waits(false), [HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 32 * HOUR_MS])
  assert.equal(retryDelayMs({ temporary: true, retryAfterMs: 90_000 }, 1, 10_000), 90_000)
})

test('a change of the spec is tried at once, whatever the wait was', () => {
  const state = { attempts: 3, nextAttemptMs: 5_000, generation: 2 }
  assert.equal(waitBeforeRetryMs(state, 2, 1_000), 4_000)
  assert.equal(waitBeforeRetryMs(state, 2, 6_000), 0)
  assert.equal(waitBeforeRetryMs(state, 3, 1_000), 0)
  assert.equal(waitBeforeRetryMs(undefined, 3, 1_000), 0)
})

const pending = record(1)
const base: IssuingState = {
  nowMs: 1_000_000,
  mode: 'Api',
  passType: 'ABC',
  pending,
  found: null,
  settleMs: 120_000,
}
const steps: readonly [name: string, state: Partial<IssuingState>, kind: string][] = [
  [
    'at first the pass type id is looked for',
    { passType: undefined, pending: undefined, found: undefined },
    'find-pass-type',
  ],
  [
    'one that Apple does not know is created',
    { passType: null, pending: undefined, found: undefined },
    'create-pass-type',
  ],
  ['the key comes before any request', { pending: undefined, found: undefined }, 'create-key'],
  ['our public key is looked for before asking', { found: undefined }, 'look-for-certificate'],
  ['a certificate for our key is taken', { found: 'pem' }, 'store-certificate'],
  ['nobody has asked: ask', {}, 'request-certificate'],
  ['an answer may still come: wait', { pending: record(1, { requestedAtMs: 900_000 }) }, 'settle'],
  ['it came to nothing: ask again', { pending: record(1, { requestedAtMs: 880_000 }) }, 'request-certificate'],
  [
    'found after a lost answer: take it',
    { pending: record(1, { requestedAtMs: 999_000 }), found: 'pem' },
    'store-certificate',
  ],
  [
    'by hand: make the key first',
    { mode: 'Manual', passType: undefined, pending: undefined, found: undefined },
    'create-key',
  ],
  [
    'by hand: look whether it was handed in',
    { mode: 'Manual', passType: undefined, found: undefined },
    'look-for-certificate',
  ],
  ['by hand: hand the request out', { mode: 'Manual', passType: undefined }, 'hand-out-request'],
  ['by hand: take what was handed in', { mode: 'Manual', passType: undefined, found: 'pem' }, 'store-certificate'],
]
for (const [name, state, kind] of steps) {
  test(`steps: ${name}`, () => assert.equal(nextStep({ ...base, ...state }).kind, kind))
}

test('steps: in no state is a certificate asked for within the settling time of a request, or unseen', () => {
  const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
  const states = fc.record({
    nowMs: fc.integer({ min: 0, max: 1_000_000 }),
    mode: fc.constantFrom('Api' as const, 'Manual' as const),
    passType: maybe(fc.constantFrom('ABC', null)),
    pending: maybe(
      fc
        .integer({ min: 0, max: 1_000_000 })
        .chain((at) => fc.constantFrom(record(1), record(1, { requestedAtMs: at }))),
    ),
    found: maybe(fc.constantFrom('pem', null)),
    settleMs: fc.integer({ min: 1, max: 300_000 }),
  })
  fc.assert(
    fc.property(states, (state) => {
      if (nextStep(state).kind !== 'request-certificate') return
      assert.equal(state.mode, 'Api')
      assert.equal(state.found, null, 'asked without having looked')
      assert.equal(state.passType, 'ABC')
      assert.ok(state.nowMs - (state.pending?.requestedAtMs ?? Number.NEGATIVE_INFINITY) >= state.settleMs)
    }),
  )
})

function brand(name: string, created: string, passTypeIdentifier: string, domain?: string, domains?: string[]): Brand {
  const metadata = { name, namespace: 'x', uid: name, creationTimestamp: created }
  const apple = { passTypeIdentifier, teamId: 'T', certificateType: 'PassTypeId' as const, mode: 'Manual' as const }
  const spec = { displayName: name, timeZone: 'UTC', currency: 'EUR', contact: '', weight: 1, maxBulkPerSecond: 0 }
  return {
    apiVersion: 'stampede.dev/v1alpha1',
    kind: 'Brand',
    metadata,
    spec: { ...spec, deletionPolicy: 'Retain', apple, ...(domain && { domain }) },
    ...(domains && { status: { domains } }),
  }
}

test('of two brands with one pass type id or domain the older one has it, also a domain that it has left', () => {
  const first = brand('first', '2026-01-01', 'pass.a', 'new.example', ['new.example', 'old.example'])
  const second = brand('second', '2026-02-01', 'pass.a')
  assert.equal(findConflict(second, [first, second])?.reason, 'PassTypeTaken')
  assert.equal(findConflict(first, [first, second]), undefined)
  assert.equal(findConflict(brand('third', '2026-02-01', 'pass.b', 'old.example'), [first])?.reason, 'DomainTaken')
  assert.equal(findConflict(brand('third', '2026-02-01', 'pass.b', 'other.example'), [first]), undefined)
  const [left, right] = [brand('a', '2026-01-01', 'pass.c'), brand('b', '2026-01-01', 'pass.c')]
  assert.equal(findConflict(right, [left, right])?.reason, 'PassTypeTaken')
  assert.equal(findConflict(left, [left, right]), undefined)
})

test('former domains stay behind the present one, the oldest is given up first', () => {
  assert.deepEqual(domainsOf('b', ['a']), ['b', 'a'])
  assert.deepEqual(domainsOf('a', ['b', 'a']), ['a', 'b'])
  assert.deepEqual(domainsOf(undefined, ['a']), ['a'])
  const many = Array.from({ length: DOMAINS_MAX }, (_, at) => `d${at}`)
  assert.deepEqual(domainsOf('new', many), ['new', ...many.slice(0, -1)])
})
