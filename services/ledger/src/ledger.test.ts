import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Event } from '@stampede/proto/events/v1'
import { QuoteReceiptRequest } from '@stampede/proto/ledger/v1'
import { Programme } from '@stampede/proto/programmes/v1'
import { flushDue } from './flush/flush.ts'
import { handleMembers } from './jobs/members.ts'
import { BRAND, codeOf, holdOf, keepPostgres, kindOf, member, returnOf, saleOf, testLedger } from './testing/ledger.ts'
import { verifyLedger } from './verify.ts'

const DAY_MS = 86_400_000

keepPostgres()

test('a sale, a hold that pays the next one, and returns of both go through and leave true books', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const first = await handlers.postReceipt(saleOf('ann', '1'), call)
  assert.equal(first.pointsEarned, 100n)
  assert.equal(first.balance?.available, 100n)
  // 20 November in Berlin plus 365 days, to the first instant of the day after.
  assert.deepEqual(first.balance?.expiries, [{ expiresAt: new Date('2027-11-20T23:00:00Z'), points: 100n }])

  const hold = await handlers.createHold(holdOf('ann', 80n, 'basket'), call)
  assert.deepEqual([hold.balance?.available, hold.balance?.held], [20n, 80n])
  assert.deepEqual(hold.expiresAt, new Date(ledger.clock.nowMs() + 900_000))
  const second = await handlers.postReceipt(saleOf('ann', '2', { holdId: hold.holdId, pointsToPay: 60n }), call)
  assert.deepEqual([second.pointsEarned, second.pointsSpent], [97n, 60n])
  assert.deepEqual([second.balance?.available, second.balance?.held], [137n, 0n])

  const back = await handlers.returnReceipt(returnOf(second.receiptId, 'r2'), call)
  assert.deepEqual([back.refundMinor, back.pointsRestored, back.pointsReversed], [1_940n, 60n, 97n])
  const all = await handlers.returnReceipt(returnOf(first.receiptId, 'r1', { memberId: member('ann') }), call)
  assert.deepEqual([all.balance?.available, all.balance?.debt], [0n, 0n])
  assert.equal(await codeOf(handlers.returnReceipt(returnOf(first.receiptId, 'r3'), call)), 'RETURN_EXCEEDS_SALE')

  const history = await handlers.listHistory(
    { brand: BRAND, memberId: member('ann'), pageSize: 4, pageToken: '' },
    call,
  )
  assert.deepEqual(
    history.postings.map(({ kind, deltaAvailable }) => [kind, deltaAvailable]),
    [
      ['return', -100n],
      ['return', -37n],
      ['earn', 97n],
      ['spend', 20n],
    ],
  )
  const rest = await handlers.listHistory(
    { brand: BRAND, memberId: member('ann'), pageSize: 4, pageToken: history.nextPageToken },
    call,
  )
  assert.deepEqual(
    rest.postings.map(({ kind }) => kind),
    ['hold', 'earn'],
  )
  assert.equal(rest.nextPageToken, '')
  assert.deepEqual(await verifyLedger(ledger.database), { ok: true, transactions: 6n, receipts: 4n })
})

test('a repeat gives the same answer, another body under the key is a conflict, another key the stored answer', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const first = await handlers.postReceipt(saleOf('ann', '1'), call)
  await handlers.postReceipt(saleOf('ann', '2'), call)
  assert.deepEqual(await handlers.postReceipt(saleOf('ann', '1'), call), first)
  assert.deepEqual(
    await handlers.postReceipt(saleOf('ann', '1', { idempotencyKey: 'from the nightly file' }), call),
    first,
  )
  assert.equal(
    await codeOf(handlers.postReceipt(saleOf('ann', '3', { idempotencyKey: 'sale-1' }), call)),
    'IDEMPOTENCY_CONFLICT',
  )
  const changed = saleOf('bob', '1', { idempotencyKey: 'x' })
  assert.equal(await codeOf(handlers.postReceipt(changed, call)), 'ALREADY_EXISTS')
  // The number is the till's of that day: the next day it is another receipt.
  const nextDay = saleOf('ann', '1', { idempotencyKey: 'y', occurredAt: new Date('2026-11-20T23:30:00Z') })
  assert.notEqual((await handlers.postReceipt(nextDay, call)).receiptId, first.receiptId)

  const back = await handlers.returnReceipt(returnOf(first.receiptId, 'r'), call)
  assert.deepEqual(await handlers.returnReceipt(returnOf(first.receiptId, 'r'), call), back)
  const sameReturn = returnOf(first.receiptId, 'r', { idempotencyKey: 'z', lines: [{ lineIndex: 0, quantity: 2n }] })
  assert.equal(await codeOf(handlers.returnReceipt(sameReturn, call)), 'ALREADY_EXISTS')
  assert.equal((await verifyLedger(ledger.database)).ok, true)
})

test('two spends of 50 on lots of 60 and 40 both fit; a third gets nothing', async () => {
  await using ledger = await testLedger()
  await using other = ledger.replica()
  const { handlers, call } = ledger
  await handlers.postReceipt(
    saleOf('ann', '1', { lines: [{ sku: 'a', quantity: 1n, amountMinor: 1_200n, category: '' }] }),
    call,
  )
  await handlers.postReceipt(
    saleOf('ann', '2', { lines: [{ sku: 'a', quantity: 1n, amountMinor: 800n, category: '' }] }),
    call,
  )
  const results = await Promise.all([
    codeOf(handlers.createHold(holdOf('ann', 50n, 'till 1'), call)),
    codeOf(other.handlers.createHold(holdOf('ann', 50n, 'till 2'), call)),
  ])
  assert(results.every((result) => typeof result === 'object'))
  assert.equal(await codeOf(handlers.createHold(holdOf('ann', 1n, 'till 3'), call)), 'INSUFFICIENT_POINTS')
  assert.equal((await verifyLedger(ledger.database)).ok, true)
})

test('of many spends at two replicas exactly those win for which there are points', async () => {
  await using ledger = await testLedger()
  await using other = ledger.replica()
  const { handlers, call } = ledger
  await handlers.postReceipt(saleOf('ann', '1'), call)
  const results = await Promise.all(
    Array.from({ length: 30 }, (_, index) => {
      const till = index % 2 === 0 ? handlers : other.handlers
      return codeOf(till.createHold(holdOf('ann', 30n, `basket ${index}`), call))
    }),
  )
  assert.equal(results.filter((result) => typeof result === 'object').length, 3)
  assert.equal(results.filter((result) => result === 'INSUFFICIENT_POINTS').length, 27)
  assert.equal((await verifyLedger(ledger.database)).ok, true)
})

test('the same receipts sent to two replicas at once are posted once and answered alike', async () => {
  await using ledger = await testLedger()
  await using other = ledger.replica()
  const { handlers, call } = ledger
  const numbers = Array.from({ length: 40 }, (_, index) => String(index))
  const send = (till: typeof handlers, key: string) =>
    Promise.all(
      numbers.map((number) =>
        // Members differ by replica for every fourth: there one of the two must lose.
        till.postReceipt(saleOf(`m${number}`, number, { idempotencyKey: `${key}${number}` }), call),
      ),
    )
  const [left, right, third] = await Promise.all([
    send(handlers, 'k'),
    send(other.handlers, 'k'),
    send(other.handlers, 'other key '),
  ])
  assert.deepEqual(left, right)
  assert.deepEqual(left, third)
  const verified = await verifyLedger(ledger.database)
  assert(verified.ok)
  assert.equal(verified.receipts, 40n)
})

test('one key for two members at two replicas posts one of them', async () => {
  await using ledger = await testLedger()
  await using other = ledger.replica()
  const { call } = ledger
  for (let round = 0; round < 10; round += 1) {
    const key = `key ${round}`
    const results = await Promise.all([
      codeOf(ledger.handlers.postReceipt(saleOf(`a${round}`, `a${round}`, { idempotencyKey: key }), call)),
      codeOf(other.handlers.postReceipt(saleOf(`b${round}`, `b${round}`, { idempotencyKey: key }), call)),
    ])
    assert.equal(results.filter((result) => result === 'IDEMPOTENCY_CONFLICT').length, 1)
  }
  assert.equal((await verifyLedger(ledger.database)).ok, true)
})

test('a batch applies in order, knows its own repeats, and its wrong items touch nothing else', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const old = await handlers.postReceipt(saleOf('ann', 'old'), call)
  const sale = (value: ReturnType<typeof saleOf>) => ({ item: { $case: 'sale' as const, value } })
  const back = (value: ReturnType<typeof returnOf>) => ({ item: { $case: 'return' as const, value } })
  const { results } = await handlers.postReceiptBatch(
    {
      brand: BRAND,
      items: [
        sale(saleOf('ann', '1', { brand: '' })),
        sale(saleOf('ann', '1')),
        sale(saleOf('ann', '1', { idempotencyKey: 'another' })),
        sale(saleOf('ann', '2', { idempotencyKey: 'sale-1' })),
        sale(saleOf('bob', '1', { idempotencyKey: 'third' })),
        sale(saleOf('ann', '3', { lines: [] })),
        sale(saleOf('ann', '4', { brand: 'rival' })),
        sale(saleOf('ann', '5', { pointsToPay: 5n })),
        sale(saleOf('ann', '6', { holdId: member('no hold'), pointsToPay: 5n })),
        back(returnOf(old.receiptId, 'r')),
        back(returnOf(member('no sale'), 's')),
        { item: undefined },
        sale(saleOf('bob', '7')),
      ],
    },
    call,
  )
  assert.deepEqual(results.map(kindOf), [
    'sale',
    'sale',
    'sale',
    'IDEMPOTENCY_CONFLICT',
    'ALREADY_EXISTS',
    'INVALID_ARGUMENT',
    'INVALID_ARGUMENT',
    'INVALID_ARGUMENT',
    'NOT_FOUND',
    'return',
    'NOT_FOUND',
    'INVALID_ARGUMENT',
    'sale',
  ])
  assert.deepEqual(results[1], results[0])
  assert.deepEqual(results[2], results[0])
  const wrong = results[5]?.result
  assert(wrong?.$case === 'error')
  assert.equal(wrong.value.field, 'items[5].sale.lines')
  const balance = await handlers.getBalance({ brand: BRAND, memberId: member('ann') }, call)
  assert.equal(balance.balance?.available, 100n)
  assert.equal((await verifyLedger(ledger.database)).ok, true)
})

test('an item that the database cannot store fails alone', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  await ledger.database.query(`ALTER TABLE receipt ADD CONSTRAINT poison CHECK (number <> 'poison')`)
  const numbers = ['1', '2', 'poison', '3', '4', '5']
  const { results } = await handlers.postReceiptBatch(
    {
      brand: BRAND,
      items: numbers.map((number) => ({ item: { $case: 'sale' as const, value: saleOf('ann', number) } })),
    },
    call,
  )
  assert.deepEqual(results.map(kindOf), ['sale', 'sale', 'FAILED_PRECONDITION', 'sale', 'sale', 'sale'])
  const verified = await verifyLedger(ledger.database)
  assert(verified.ok)
  assert.equal(verified.receipts, 5n)
})

test('holds are answered by what they are: replaced, used up, over, or unknown', async () => {
  await using ledger = await testLedger()
  const { handlers, call, clock } = ledger
  await handlers.postReceipt(saleOf('ann', '1'), call)
  const first = await handlers.createHold(holdOf('ann', 60n, 'basket'), call)
  const second = await handlers.createHold(holdOf('ann', 70n, 'basket'), call)
  assert.equal(second.balance?.held, 70n)
  const key = (idempotencyKey: string, holdId: string) => ({ idempotencyKey, brand: BRAND, holdId })
  assert.equal(await codeOf(handlers.commitHold({ ...key('c1', first.holdId), points: 1n }, call)), 'HOLD_RESOLVED')
  assert.equal(
    await codeOf(handlers.commitHold({ ...key('c2', second.holdId), points: 71n }, call)),
    'INVALID_ARGUMENT',
  )
  const committed = await handlers.commitHold({ ...key('c3', second.holdId), points: 50n }, call)
  assert.deepEqual([committed.balance?.available, committed.balance?.held], [50n, 0n])
  assert.deepEqual(await handlers.commitHold({ ...key('c3', second.holdId), points: 50n }, call), committed)
  const third = await handlers.createHold(holdOf('ann', 10n, 'other', { ttlSeconds: 60 }), call)
  clock.advance(60_000)
  assert.equal(await codeOf(handlers.cancelHold(key('x', third.holdId), call)), 'HOLD_EXPIRED')
  assert.equal(await codeOf(handlers.cancelHold(key('y', member('nothing')), call)), 'NOT_FOUND')
  const { balance } = await handlers.getBalance({ brand: BRAND, memberId: member('ann') }, call)
  assert.deepEqual([balance?.available, balance?.held], [50n, 0n])
  assert.equal((await verifyLedger(ledger.database)).ok, true)
})

test('a balance is there for enrolled and used members only', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const balanceOf = (name: string) => codeOf(handlers.getBalance({ brand: BRAND, memberId: member(name) }, call))
  assert.equal(await balanceOf('ann'), 'NOT_FOUND')
  // A refused command locks a row, but makes nobody known.
  assert.equal(await codeOf(handlers.createHold(holdOf('ann', 1n, 'basket'), call)), 'INSUFFICIENT_POINTS')
  assert.equal(await balanceOf('ann'), 'NOT_FOUND')
  const enrolled = Event.encode(
    Event.fromPartial({
      id: member('event'),
      brand: BRAND,
      aggregateKind: 'member',
      aggregateId: member('ann'),
      payload: { $case: 'member', value: { memberId: member('ann'), status: 'active' } },
    }),
  ).finish()
  const delivery = { data: enrolled, subject: 'member.demo.member' }
  await handleMembers(ledger.database, [delivery, delivery])
  const zero = { available: 0n, pending: 0n, held: 0n, debt: 0n, version: 0n, expiries: [] }
  assert.deepEqual(await balanceOf('ann'), { balance: zero })
  // Too little for a point, and yet a receipt.
  const free = saleOf('bob', '1', { lines: [{ sku: 'a', quantity: 1n, amountMinor: 0n, category: '' }] })
  await handlers.postReceipt(free, call)
  assert.deepEqual(await balanceOf('bob'), { balance: zero })
  assert.equal(await codeOf(handlers.getBalance({ brand: 'rival', memberId: member('ann') }, call)), 'NOT_FOUND')
  assert.equal(await codeOf(handlers.getBalance({ brand: BRAND, memberId: 'ann' }, call)), 'INVALID_ARGUMENT')
})

test('the sweeper ends points and holds once, at as many replicas as there are', async () => {
  await using ledger = await testLedger()
  const { handlers, call, clock, flushContext } = ledger
  for (let index = 0; index < 20; index += 1) {
    await handlers.postReceipt(saleOf(`m${index}`, String(index)), call)
    if (index % 2 === 0) await handlers.createHold(holdOf(`m${index}`, 30n, String(index)), call)
  }
  clock.advance(400 * DAY_MS)
  const late = await handlers.getBalance({ brand: BRAND, memberId: member('m0') }, call)
  assert.deepEqual([late.balance?.available, late.balance?.held], [0n, 0n])
  const swept = await Promise.all(Array.from({ length: 4 }, () => flushDue(flushContext, 7)))
  assert(swept.every((count) => count <= 7))
  while ((await flushDue(flushContext, 7)) > 0);
  const rows = await ledger.database.query<{ expired: bigint; open: bigint }>(
    `SELECT (SELECT sum(amount)::bigint FROM entry WHERE account = 'expired') AS expired,
       (SELECT count(*) FROM hold WHERE state = 'open') AS open`,
  )
  assert.deepEqual(rows, [{ expired: 2_000n, open: 0n }])
  assert.equal((await verifyLedger(ledger.database)).ok, true)
})

test('each posting leaves its newest account state and its receipts in the outbox', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const { receiptId } = await handlers.postReceipt(saleOf('ann', '1'), call)
  await handlers.returnReceipt(returnOf(receiptId, 'r'), call)
  await handlers.postReceipt(saleOf('ann', '1'), call)
  const rows = await ledger.database.query<{ subject: string; payload: Buffer }>(
    'SELECT subject, payload FROM outbox ORDER BY id',
  )
  const events = rows.map(({ payload }) => Event.decode(payload))
  assert.deepEqual(
    rows.map(({ subject }) => subject),
    ['ledger.demo.account', 'ledger.demo.receipt', 'ledger.demo.account', 'ledger.demo.receipt'],
  )
  assert.deepEqual(
    events.map(({ aggregateVersion }) => aggregateVersion),
    [1n, 1n, 2n, 1n],
  )
  const [account, receipt, , returned] = events.map(({ payload }) => payload)
  assert(account?.$case === 'account' && receipt?.$case === 'receipt' && returned?.$case === 'receipt')
  assert.deepEqual(
    [account.value.available, account.value.cause, account.value.causeId, account.value.currency],
    [100n, 'earn', receiptId, 'EUR'],
  )
  assert.equal(receipt.value.lines[0]?.amountMinor, 2_000n)
  assert.deepEqual(
    [returned.value.kind, returned.value.originalReceiptId, returned.value.totalMinor, returned.value.pointsEarned],
    ['return', receiptId, 2_000n, 100n],
  )
  assert.deepEqual([returned.value.storeId, returned.value.lines[0]?.amountMinor], ['store', 2_000n])
})

test('receipts use the programme of their time, and repeats of a publication change nothing', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const programme = Programme.fromPartial({
    earnBasisPoints: 1_000,
    pointsLiveDays: 30,
    maxPayBasisPoints: 5_000,
    pointValueMinor: 1n,
    holdSeconds: 0,
  })
  const put = { idempotencyKey: 'v2', brand: BRAND, programme, effectiveAt: new Date('2026-11-20T11:30:00Z') }
  assert.deepEqual(await handlers.putProgramme(put, call), { version: 2 })
  assert.deepEqual(await handlers.putProgramme(put, call), { version: 2 })
  assert.equal(
    await codeOf(handlers.putProgramme({ ...put, programme: { ...programme, earnBasisPoints: 1 } }, call)),
    'IDEMPOTENCY_CONFLICT',
  )
  const wrong = { ...put, idempotencyKey: 'w', programme: { ...programme, pointsLiveDays: 0 } }
  assert.equal(await codeOf(handlers.putProgramme(wrong, call)), 'INVALID_ARGUMENT')
  assert.equal((await handlers.getProgramme({ brand: BRAND }, call)).programme?.holdSeconds, 900)
  const before = await handlers.postReceipt(saleOf('ann', '1'), call)
  const after = await handlers.postReceipt(saleOf('ann', '2', { occurredAt: new Date('2026-11-20T11:30:00Z') }), call)
  assert.deepEqual([before.pointsEarned, after.pointsEarned], [100n, 200n])
  const lines = [{ sku: 'a', quantity: 1n, amountMinor: 400n, category: '' }]
  const asked = QuoteReceiptRequest.fromPartial({ brand: BRAND, memberId: member('ann'), lines })
  assert.deepEqual(await handlers.quoteReceipt(asked, call), {
    totalMinor: 400n,
    pointsToEarn: 40n,
    maxPointsPayable: 200n,
    available: 300n,
    lines: [{ pointsPaid: 0n, pointsEarned: 40n, discountMinor: 0n }],
    explanations: [{ ruleId: 'base', outcome: 'applied', points: 40n }],
    discountMinor: 0n,
    discounts: [],
  })
})

test('rules of a programme decide what a receipt earns and what points may pay, and the receipt says why', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const programme = Programme.fromPartial({
    earnBasisPoints: 1_000,
    pointsLiveDays: 30,
    maxPayBasisPoints: 10_000,
    pointValueMinor: 1n,
    earnRules: [
      {
        ruleId: 'bread',
        goods: { categories: ['bakery'] },
        stores: ['store'],
        until: new Date('2026-11-20T12:00:00Z'),
        effect: { $case: 'timesHundredths', value: 300 },
      },
    ],
    neverPaid: { categories: ['tobacco'] },
    payStep: 50n,
    payLeastPoints: 100n,
  })
  const effectiveAt = new Date('2026-11-01T00:00:00Z')
  await handlers.putProgramme({ idempotencyKey: 'rules', brand: BRAND, programme, effectiveAt }, call)
  assert.deepEqual((await handlers.getProgramme({ brand: BRAND }, call)).programme?.earnRules, programme.earnRules)
  const lines = [
    { sku: 'loaf', quantity: 1n, amountMinor: 1_000n, category: 'bakery' },
    { sku: 'smoke', quantity: 1n, amountMinor: 500n, category: 'tobacco' },
  ]
  const asked = { brand: BRAND, memberId: member('ann'), lines, storeId: 'store' }
  const early = new Date('2026-11-20T11:59:00Z')
  const quote = await handlers.quoteReceipt(QuoteReceiptRequest.fromPartial({ ...asked, occurredAt: early }), call)
  const shares = [
    { pointsPaid: 0n, pointsEarned: 300n, discountMinor: 0n },
    { pointsPaid: 0n, pointsEarned: 50n, discountMinor: 0n },
  ]
  assert.deepEqual([quote.pointsToEarn, quote.lines], [350n, shares])
  const late = await handlers.quoteReceipt(QuoteReceiptRequest.fromPartial(asked), call)
  assert.deepEqual([late.pointsToEarn, late.explanations[1]?.outcome], [150n, 'not_now'])

  const sale = await handlers.postReceipt(saleOf('ann', '1', { lines, occurredAt: early }), call)
  assert.equal(sale.pointsEarned, 350n)
  const stored = await handlers.getReceipt({ brand: BRAND, receiptId: sale.receiptId }, call)
  assert.deepEqual(stored.explanations, quote.explanations)
  assert.deepEqual(
    stored.lines.map(({ share }) => share),
    shares,
  )
  const payable = await handlers.quoteReceipt(QuoteReceiptRequest.fromPartial(asked), call)
  assert.deepEqual([payable.available, payable.maxPointsPayable], [350n, 350n])
  const some = QuoteReceiptRequest.fromPartial({ ...asked, lines: [{ ...lines[0], amountMinor: 280n }] })
  assert.equal((await handlers.quoteReceipt(some, call)).maxPointsPayable, 250n)
  for (const pointsToPay of [120n, 50n, 400n]) {
    assert.equal(await codeOf(handlers.quoteReceipt({ ...some, pointsToPay }, call)), 'INVALID_ARGUMENT')
  }
  const { holdId } = await handlers.createHold(holdOf('ann', 150n, 'basket'), call)
  const pay = (number: string, pointsToPay: bigint) => saleOf('ann', number, { lines, holdId, pointsToPay })
  assert.equal(await codeOf(handlers.postReceipt(pay('2', 120n), call)), 'INVALID_ARGUMENT')
  // 850 of bread in money three times, 500 of tobacco once.
  assert.equal((await handlers.postReceipt(pay('3', 150n), call)).pointsEarned, 305n)
  assert.deepEqual(await verifyLedger(ledger.database).then(({ ok }) => ok), true)
})

test('what is wrong with a programme is told by field, and nothing is published', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const rule = { ruleId: 'r', effect: { $case: 'timesHundredths', value: 200 } } as const
  const cases: readonly [string, object][] = [
    ['programme.points_live_days', { pointsLiveDays: 0 }],
    ['programme.earn_rules[0].rule_id', { earnRules: [{ ...rule, ruleId: 'R' }] }],
    ['programme.earn_rules[1].rule_id', { earnRules: [rule, rule] }],
    ['programme.earn_rules[0].rule_id', { earnRules: [{ ...rule, ruleId: 'limit' }] }],
    ['programme.earn_rules[0].effect', { earnRules: [{ ruleId: 'r' }] }],
    ['programme.earn_rules[0].times_hundredths', { earnRules: [{ ...rule, effect: { ...rule.effect, value: 100 } }] }],
    ['programme.earn_rules[0].goods', { earnRules: [{ ...rule, goods: {} }] }],
    ['programme.earn_rules[0].goods.skus[0]', { earnRules: [{ ...rule, goods: { skus: [''] } }] }],
    ['programme.earn_rules[0].until', { earnRules: [{ ...rule, from: new Date(5), until: new Date(5) }] }],
    ['programme.earn_rules[0].limit', { earnRules: [{ ...rule, limit: -1n }] }],
    ['programme.earn_limit', { earnLimit: -1n }],
    ['programme.pay_least_points', { payStep: 50n, payLeastPoints: 120n }],
    ['programme.never_paid.categories[0]', { neverPaid: { categories: ['x'.repeat(65)] } }],
  ]
  for (const [index, [field, change]] of cases.entries()) {
    const sound = { earnBasisPoints: 100, pointsLiveDays: 30, pointValueMinor: 1n }
    const programme = Programme.fromPartial({ ...sound, ...change })
    const put = handlers.putProgramme(
      { idempotencyKey: `p${index}`, brand: BRAND, programme, effectiveAt: undefined },
      call,
    )
    await assert.rejects(put, { code: 'INVALID_ARGUMENT', field })
  }
  assert.equal((await handlers.getProgramme({ brand: BRAND }, call)).version, 1)
})

test('what is wrong with a sale is told by field, and nothing is posted', async () => {
  await using ledger = await testLedger()
  const { handlers, call } = ledger
  const cases: readonly [string, Parameters<typeof saleOf>[2]][] = [
    ['idempotency_key', { idempotencyKey: '' }],
    ['member_id', { memberId: 'ann' }],
    ['store_id', { storeId: '' }],
    ['till_id', { tillId: 'x'.repeat(65) }],
    ['number', { number: 'a\0b' }],
    ['occurred_at', { occurredAt: undefined }],
    ['occurred_at', { occurredAt: new Date('2026-11-22T12:00:01Z') }],
    ['occurred_at', { occurredAt: new Date(Number.NaN) }],
    ['lines', { lines: [] }],
    ['lines[0].sku', { lines: [{ sku: '', quantity: 1n, amountMinor: 1n, category: '' }] }],
    ['lines[0].quantity', { lines: [{ sku: 'a', quantity: 0n, amountMinor: 1n, category: '' }] }],
    ['lines[0].amount_minor', { lines: [{ sku: 'a', quantity: 1n, amountMinor: -1n, category: '' }] }],
    ['points_to_pay', { pointsToPay: -1n }],
    ['hold_id', { holdId: 'h', pointsToPay: 1n }],
  ]
  for (const [field, more] of cases) {
    await assert.rejects(handlers.postReceipt(saleOf('ann', '1', more), call), { code: 'INVALID_ARGUMENT', field })
  }
  assert.deepEqual(await verifyLedger(ledger.database), { ok: true, transactions: 0n, receipts: 0n })
})
