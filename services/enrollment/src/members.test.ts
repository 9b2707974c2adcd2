import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { openSealed, sealedAad, subjects } from '@stampede/platform'
import { type ImportMembersRequest, type Member, NewMember } from '@stampede/proto/enrollment/v1'
import { Event } from '@stampede/proto/events/v1'
import { isCardNumber } from './domain/card-number.ts'
import { type RunningEnrollment, startEnrollment, testBrand } from './testing/running-enrollment.ts'

const IMPORT_COUNT = process.env['STAMPEDE_FULL'] === '1' ? 20_000 : 2_000
const IMPORT_BATCH = 500
const BRAND = 'demo'
let enrollment: RunningEnrollment

before(async () => {
  enrollment = await startEnrollment()
  for (const slug of [BRAND, 'other', 'paged', 'bulk'])
    await enrollment.client.createBrand({ idempotencyKey: `k-${slug}`, brand: testBrand(slug) })
})
after(() => enrollment[Symbol.asyncDispose]())

function person(name: string): NewMember {
  return {
    reference: `crm-${name}`,
    firstName: name,
    lastName: 'Müller',
    email: `${name}@example.com`,
    phone: '',
    locale: 'en-GB',
    marketingConsent: true,
    storeId: 'lon-1',
  }
}

async function enroll(name: string, brand = BRAND): Promise<Member> {
  const { member } = await enrollment.client.enroll({ idempotencyKey: `enroll-${name}`, brand, member: person(name) })
  assert.ok(member)
  return member
}

async function importInto(brand: string, members: ImportMembersRequest['members']): Promise<string[]> {
  const { results } = await enrollment.client.importMembers({ brand, members })
  return results.map(({ result }) => {
    if (result?.$case === 'error') return `${result.value.code} ${result.value.field}`.trim()
    return result?.$case === 'member' ? result.value.memberId : 'nothing'
  })
}

/** All events of members of a brand that reach the stream, until there are `count`. */
async function memberEvents(brand: string, count: number): Promise<readonly Event[]> {
  const { jetstream } = enrollment.nats
  const consumer = await jetstream.consumers.get('EVENTS', { filter_subjects: [subjects.member(brand)] })
  const events: Event[] = []
  const messages = await consumer.fetch({ max_messages: count, expires: 20_000 })
  for await (const message of messages) {
    events.push(Event.decode(message.data))
    if (events.length === count) break
  }
  return events
}

test('an enrolled member is found by id, by card and by reference, with everything told', async () => {
  const member = await enroll('ada')
  assert.ok(isCardNumber(member.cardNumber))
  const { memberId, cardNumber, enrolledAt, ...rest } = member
  assert.deepEqual(rest, { ...person('ada'), brand: BRAND, status: 'active' })
  assert.ok(enrolledAt !== undefined && Math.abs(Date.now() - enrolledAt.getTime()) < 60_000)
  for (const by of [{ memberId }, { cardNumber }, { reference: 'crm-ada' }])
    assert.deepEqual((await enrollment.client.getMember({ brand: BRAND, ...by })).member, member)
})

test('exactly one way to look a member up is needed, in its right form', async () => {
  const { memberId, cardNumber } = await enroll('ben')
  const { client } = enrollment
  await assert.rejects(client.getMember({ brand: BRAND }), { code: 'INVALID_ARGUMENT' })
  await assert.rejects(client.getMember({ brand: BRAND, memberId, cardNumber }), { code: 'INVALID_ARGUMENT' })
  await assert.rejects(client.getMember({ brand: BRAND, memberId: 'x' }), {
    code: 'INVALID_ARGUMENT',
    field: 'member_id',
  })
  const wrong = cardNumber.slice(0, -1) + ((Number(cardNumber.at(-1)) + 1) % 10)
  await assert.rejects(client.getMember({ brand: BRAND, cardNumber: wrong }), {
    code: 'INVALID_ARGUMENT',
    field: 'card_number',
  })
})

test('members of another brand, unknown ones and unknown brands are all just not found', async () => {
  const { memberId, cardNumber } = await enroll('cleo')
  const { client } = enrollment
  for (const by of [{ memberId }, { cardNumber }, { reference: 'crm-cleo' }])
    await assert.rejects(client.getMember({ brand: 'other', ...by }), { code: 'NOT_FOUND' })
  await assert.rejects(client.getMember({ brand: BRAND, memberId: randomUUID() }), { code: 'NOT_FOUND' })
  await assert.rejects(client.getMember({ brand: 'nobody', memberId }), { code: 'NOT_FOUND' })
  await assert.rejects(client.enroll({ idempotencyKey: 'x', brand: 'nobody', member: person('x') }), {
    code: 'NOT_FOUND',
  })
})

test('a repeat answers with the same member; another body under its key conflicts', async () => {
  const first = await enroll('dan')
  assert.deepEqual(await enroll('dan'), first)
  await assert.rejects(
    enrollment.client.enroll({
      idempotencyKey: 'enroll-dan',
      brand: BRAND,
      member: { ...person('dan'), firstName: 'Dave' },
    }),
    { code: 'IDEMPOTENCY_CONFLICT' },
  )
})

test('a reference, an e-mail address in any case, and a phone number belong to one member of a brand', async () => {
  const phone = '+447700900123'
  await enrollment.client.enroll({ idempotencyKey: 'eve', brand: BRAND, member: { ...person('eve'), phone } })
  const again = async (change: Partial<NewMember>, brand = BRAND) =>
    enrollment.client.enroll({ idempotencyKey: randomUUID(), brand, member: { ...person(randomUUID()), ...change } })
  await assert.rejects(again({ reference: 'crm-eve' }), { code: 'ALREADY_EXISTS', field: 'member.reference' })
  await assert.rejects(again({ email: 'EVE@Example.com' }), { code: 'ALREADY_EXISTS', field: 'member.email' })
  await assert.rejects(again({ phone }), { code: 'ALREADY_EXISTS', field: 'member.phone' })
  await again({ reference: 'crm-eve', email: 'eve@example.com', phone }, 'other')
})

test('each item of an import has its own outcome, and the others do not mind', async () => {
  await enroll('frank')
  const outcomes = await importInto(BRAND, [
    { idempotencyKey: 'i1', member: person('gina') },
    { idempotencyKey: 'i1', member: person('gina') },
    { idempotencyKey: 'i1', member: person('gustav') },
    { idempotencyKey: 'i2', member: { ...person('hal'), email: 'gina@example.com' } },
    { idempotencyKey: 'i3', member: { ...person('ida'), phone: '12' } },
    { idempotencyKey: '', member: person('jo') },
    { idempotencyKey: 'i4', member: undefined },
    { idempotencyKey: 'enroll-frank', member: person('frank') },
    { idempotencyKey: 'i5', member: { ...person('kim'), reference: 'crm-frank' } },
    { idempotencyKey: 'i6', member: NewMember.fromPartial({}) },
  ])
  const frank = await enrollment.client.getMember({ brand: BRAND, reference: 'crm-frank' })
  assert.equal(outcomes[0], outcomes[1])
  assert.deepEqual(outcomes.slice(2, 7), [
    'IDEMPOTENCY_CONFLICT idempotency_key',
    'ALREADY_EXISTS member.email',
    'INVALID_ARGUMENT member.phone',
    'INVALID_ARGUMENT idempotency_key',
    'INVALID_ARGUMENT member',
  ])
  assert.deepEqual(outcomes.slice(7, 9), [frank.member?.memberId, 'ALREADY_EXISTS member.reference'])
  const nobody = await enrollment.client.getMember({ brand: BRAND, memberId: outcomes[9] ?? '' })
  assert.equal(nobody.member?.firstName, '')
})

test('an import of none or of more than 1,000 is refused', async () => {
  const members = Array.from({ length: 1_001 }, () => ({ idempotencyKey: 'x', member: undefined }))
  for (const some of [[], members])
    await assert.rejects(enrollment.client.importMembers({ brand: BRAND, members: some }), {
      code: 'INVALID_ARGUMENT',
      field: 'members',
    })
})

test('concurrent enrolments with the same key, and with the same address, make one member each', async () => {
  const same = await Promise.all(Array.from({ length: 8 }, () => enroll('lea')))
  assert.equal(new Set(same.map((member) => member.memberId)).size, 1)
  const rivals = await Promise.allSettled(
    Array.from({ length: 8 }, (_, n) =>
      enrollment.client.enroll({
        idempotencyKey: `rival-${n}`,
        brand: BRAND,
        member: { ...person(`rival-${n}`), email: 'one@example.com' },
      }),
    ),
  )
  assert.equal(rivals.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const rival of rivals) if (rival.status === 'rejected') assert.equal(rival.reason.code, 'ALREADY_EXISTS')
})

test('overlapping concurrent imports in different orders agree on one member per key', async () => {
  const members = Array.from({ length: 100 }, (_, n) => ({
    idempotencyKey: `overlap-${n}`,
    member: person(`overlap-${n}`),
  }))
  const [forward, backward] = await Promise.all([importInto(BRAND, members), importInto(BRAND, members.toReversed())])
  assert.deepEqual(forward, backward?.toReversed())
  assert.equal(new Set(forward).size, 100)
})

test('no personal value is stored or published in clear', async () => {
  const secretive = {
    ...person('Xanthippe'),
    email: 'xanthippe@example.org',
    phone: '+447700900999',
    reference: 'crm-xanthippe',
  }
  const { member } = await enrollment.client.enroll({ idempotencyKey: 'x', brand: BRAND, member: secretive })
  const { database } = enrollment
  const tables = await database.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'enrollment' AND c.relkind IN ('r', 'p')`,
  )
  assert.ok(tables.length > 10)
  for (const { name } of tables) {
    const rows = await database.query<{ row: string }>(`SELECT t::text AS row FROM enrollment.${name} t`)
    for (const { row } of rows) {
      const bytes = [...row.matchAll(/\\\\x([0-9a-f]+)/g)].map(([, hex = '']) =>
        Buffer.from(hex, 'hex').toString('latin1'),
      )
      const clear = [row, ...bytes].join()
      assert.doesNotMatch(clear, /xanthippe|447700900999/i, `table ${name}`)
    }
  }
  assert.equal(member?.firstName, 'Xanthippe')
})

test('the event of a member carries the card and a first name that only its key opens', async () => {
  const member = await enroll('yara', 'other')
  const events = await memberEvents('other', 2)
  const event = events.find(({ aggregateId }) => aggregateId === member.memberId)
  assert.equal(event?.schema, 'enrollment.member.v1')
  assert.equal(event?.aggregateVersion, 1n)
  assert.ok(event?.payload?.$case === 'member')
  const { sealedFirstName, ...state } = event.payload.value
  assert.deepEqual(state, {
    memberId: member.memberId,
    cardNumber: member.cardNumber,
    status: 'active',
    locale: 'en-GB',
    marketingConsent: true,
    enrolledAt: member.enrolledAt,
    storeId: 'lon-1',
  })
  const { keys } = await enrollment.internal.getMemberKeys({
    brand: 'other',
    memberIds: [member.memberId, randomUUID()],
  })
  const [key] = keys
  assert.ok(key && sealedFirstName && keys.length === 1)
  assert.equal(key.keyVersion, sealedFirstName.keyVersion)
  assert.equal(openSealed(key.key, sealedFirstName, sealedAad('other', member.memberId, 'first_name')), 'yara')
})

test('keys go to our own services only, and a member without key is left out', async () => {
  const { memberId } = await enroll('zed')
  await assert.rejects(enrollment.client.getMemberKeys({ brand: BRAND, memberIds: [memberId] }), {
    code: 'PERMISSION_DENIED',
  })
  const { internal, database } = enrollment
  await assert.rejects(internal.getMemberKeys({ brand: BRAND, memberIds: [] }), {
    code: 'INVALID_ARGUMENT',
    field: 'member_ids',
  })
  await assert.rejects(internal.getMemberKeys({ brand: BRAND, memberIds: ['x'] }), {
    code: 'INVALID_ARGUMENT',
    field: 'member_ids[0]',
  })
  assert.deepEqual((await internal.getMemberKeys({ brand: 'other', memberIds: [memberId] })).keys, [])
  await database.query('DELETE FROM member_key WHERE member_id = $1', [memberId])
  assert.deepEqual((await internal.getMemberKeys({ brand: BRAND, memberIds: [memberId] })).keys, [])
  const { member } = await enrollment.client.getMember({ brand: BRAND, memberId })
  assert.deepEqual([member?.firstName, member?.email, member?.reference], ['', '', ''])
})

test('members are listed in the order of enrolment, page by page, each once', async () => {
  const members = Array.from({ length: 25 }, (_, n) => ({ idempotencyKey: `p${n}`, member: person(`p${n}`) }))
  const ids = await importInto('paged', members)
  const listed: string[] = []
  let pageToken = ''
  do {
    const page = await enrollment.client.listMembers({ brand: 'paged', pageSize: 10, pageToken })
    listed.push(...page.members.map((member) => member.memberId))
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  assert.deepEqual(listed, ids)
  const all = await enrollment.client.listMembers({ brand: 'paged' })
  assert.deepEqual([all.members.length, all.nextPageToken, all.members[3]?.firstName], [25, '', 'p3'])
  const wrong = { brand: 'paged', pageToken: 'nonsense' }
  await assert.rejects(enrollment.client.listMembers(wrong), { code: 'INVALID_ARGUMENT', field: 'page_token' })
  await assert.rejects(enrollment.client.listMembers({ brand: 'paged', pageSize: 1_001 }), {
    code: 'INVALID_ARGUMENT',
    field: 'page_size',
  })
})

test(`an import of ${IMPORT_COUNT} members gives as many cards and events, and a repeat gives the same members`, async (t) => {
  const batches = Array.from({ length: IMPORT_COUNT / IMPORT_BATCH }, (_, batch) =>
    Array.from({ length: IMPORT_BATCH }, (_, n) => {
      const name = `bulk-${batch * IMPORT_BATCH + n}`
      return { idempotencyKey: name, member: person(name) }
    }),
  )
  const startMs = performance.now()
  const ids: string[] = []
  for (const batch of batches) ids.push(...(await importInto('bulk', batch)))
  t.diagnostic(`${IMPORT_COUNT} members in ${Math.round(performance.now() - startMs)} ms`)
  assert.equal(new Set(ids).size, IMPORT_COUNT)
  assert.deepEqual(await importInto('bulk', batches[0] ?? []), ids.slice(0, IMPORT_BATCH))

  const events = await memberEvents('bulk', IMPORT_COUNT)
  assert.deepEqual(
    events.map(({ aggregateId }) => aggregateId),
    ids,
  )
  const cards = new Set(events.map(({ payload }) => (payload?.$case === 'member' ? payload.value.cardNumber : '')))
  assert.equal(cards.size, IMPORT_COUNT)
})
