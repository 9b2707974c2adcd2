import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { bitmapBytes, makeEvent, subjects, uuidv7, withBits } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { CampaignMessage, Event, MemberState, RelevanceState } from '@stampede/proto/events/v1'
import { GoogleWork, PushChunk, PushOutcome, PushResult } from '@stampede/proto/push/v1'
import { Fixture, testBrand, testTemplate } from '../testing/fixture.ts'

const alpha = testBrand('alpha')
const campaignBrand = testBrand('campaign')
const bulkBrand = testBrand('bulk')
const plain = { ...testBrand('plain'), googleIssuerId: '' }
let fixture: Fixture

before(async () => {
  fixture = await Fixture.start([alpha, campaignBrand, bulkBrand, plain])
  for (const brand of ['alpha', 'campaign']) {
    await fixture.client.putTemplate({ idempotencyKey: 'first', brand, template: testTemplate() })
  }
})
after(() => fixture[Symbol.asyncDispose]())

async function install(brand: string, memberId: string, device: string): Promise<bigint> {
  const { no } = await fixture.pass(brand, memberId)
  const [now, pushToken] = [new Date(), randomBytes(32)]
  await fixture.database.query('INSERT INTO device VALUES ($1, $2, $3, $4)', [brand, device, pushToken, now])
  await fixture.database.query('INSERT INTO registration VALUES ($1, $2, $3, $4, $5)', [
    brand,
    no,
    device,
    now,
    pushToken,
  ])
  return no
}

async function recipientsOn(lane: 'tx' | 'bulk', brand: string, device: string): Promise<number> {
  const subject = lane === 'tx' ? subjects.pushTx(brand) : subjects.pushBulk(brand)
  const payloads = await fixture.payloads(lane === 'tx' ? 'PUSH_TX' : 'PUSH_BULK', subject, 0)
  return payloads.flatMap((bytes) => PushChunk.decode(bytes).deviceLibraryId).filter((id) => id === device).length
}

function count(table: string, brand: string): Promise<number> {
  return fixture.database
    .query<{ n: bigint }>(`SELECT count(*) AS n FROM ${table} WHERE brand = $1`, [brand])
    .then((rows) => Number(rows[0]?.n))
}

/** Waits until an account event that was published last has been projected: all before it then are, too. */
async function projected(brand: string): Promise<void> {
  const memberId = uuidv7()
  await fixture.account(brand, memberId, 1n)
  await until('the last account is projected', async () => {
    const rows = await fixture.database.query('SELECT 1 FROM account_state WHERE owner_id = $1 AND version > 0', [
      memberId,
    ])
    return rows.length === 1
  })
}

describe('members', () => {
  it('get passes with dense numbers, once each, whatever comes twice', async () => {
    const members = Array.from({ length: 20_000 }, () => uuidv7())
    const publish = async (memberId: string) => {
      const value = MemberState.fromPartial({ memberId, cardNumber: '42', status: 'active', locale: 'en' })
      const input = { brand: 'bulk', aggregateKind: 'member', aggregateId: memberId, aggregateVersion: 1n } as const
      const rest = { eventTime: new Date(), schema: 'test', payload: { $case: 'member', value } } as const
      const message = makeEvent({ ...input, ...rest }, new Date())
      await fixture.nats.jetstream.publish(message.subject, message.payload, { msgID: message.id })
    }
    const started = performance.now()
    for (let at = 0; at < members.length; at += 1_000) await Promise.all(members.slice(at, at + 1_000).map(publish))
    await Promise.all(members.slice(0, 1_000).map(publish))
    await until('all passes are there', async () => (await count('pass', 'bulk')) === members.length, 60_000)
    const tookSeconds = (performance.now() - started) / 1_000
    const rows = await fixture.database.query<{ low: bigint; high: bigint; serials: bigint }>(
      "SELECT min(no) AS low, max(no) AS high, count(DISTINCT serial) AS serials FROM pass WHERE brand = 'bulk'",
    )
    assert.deepEqual(rows[0], { low: 0n, high: 19_999n, serials: 20_000n })
    console.info(`20,000 members became passes in ${tookSeconds.toFixed(1)} s`)
  })

  it('are told to others as passes and to Google as objects', async () => {
    const memberId = await fixture.member('alpha', { cardNumber: '1234' })
    const pass = await fixture.pass('alpha', memberId)
    const subject = subjects.google(alpha.googleIssuerId, 'loyaltyObject', pass.googleObjectId)
    const [bytes] = await fixture.payloads('PUSH_GOOGLE', subject, 1)
    const object = JSON.parse(GoogleWork.decode(bytes ?? new Uint8Array()).resourceJson)
    assert.equal(object.id, pass.googleObjectId)
    assert.equal(object.state, 'ACTIVE')
    assert.equal(object.barcode.value, '1234')
    await until('the pass is on the stream', async () => {
      const events = await fixture.payloads('EVENTS', subjects.pass('alpha'), 0)
      return events.some((event) => {
        const { payload } = Event.decode(event)
        return payload?.$case === 'pass' && payload.value.serial === pass.serial && payload.value.no === pass.no
      })
    })
    const jwt = pass.googleSaveUrl.replace('https://pay.google.com/gp/v/save/', '')
    assert.ok(jwt.length <= 1_800)
    const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
    assert.deepEqual(Object.keys(claims.payload.loyaltyObjects[0]), ['id', 'classId'])
  })

  it('have an account that came before them', async () => {
    const memberId = uuidv7()
    await fixture.account('alpha', memberId, 55n)
    await projected('alpha')
    await fixture.member('alpha', { memberId })
    await fixture.pass('alpha', memberId)
    const { passJson } = await fixture.client.getPassContent({ brand: 'alpha', memberId })
    assert.equal(JSON.parse(passJson).storeCard.primaryFields[0].value, 55)
  })
})

describe('balances', () => {
  it('wake a phone when it would show something else, and only then', async () => {
    const memberId = await fixture.member('alpha')
    await install('alpha', memberId, 'balance-1')
    const before = await fixture.pass('alpha', memberId)
    await fixture.account('alpha', memberId, 10n)
    await until('the phone is woken', async () => (await recipientsOn('tx', 'alpha', 'balance-1')) === 1)
    await fixture.account('alpha', memberId, 10n)
    await projected('alpha')
    assert.equal(await recipientsOn('tx', 'alpha', 'balance-1'), 1)
    assert.equal((await fixture.pass('alpha', memberId)).version, before.version + 1n)
  })

  it('keep the highest version when events come in any order', async () => {
    const memberId = await fixture.member('alpha')
    await fixture.pass('alpha', memberId)
    const state = (available: bigint) => ({ memberId, available, currency: 'GBP' })
    const send = (available: bigint, version: bigint) => {
      const value = { ...emptyAccountState, ...state(available) }
      return fixture.event('alpha', 'account', memberId, { $case: 'account', value }, version)
    }
    await send(300n, 1_003n)
    await send(100n, 1_001n)
    await send(200n, 1_002n)
    await projected('alpha')
    const { passJson } = await fixture.client.getPassContent({ brand: 'alpha', memberId })
    assert.equal(JSON.parse(passJson).storeCard.primaryFields[0].value, 300)
  })

  it('wake a device once for all its passes of a batch', async () => {
    const first = await fixture.member('alpha')
    const second = await fixture.member('alpha')
    const no = await install('alpha', first, 'shared')
    const { no: other } = await fixture.pass('alpha', second)
    await fixture.database.query('INSERT INTO registration VALUES ($1, $2, $3, $4, $5)', [
      'alpha',
      other,
      'shared',
      new Date(),
      randomBytes(32),
    ])
    assert.notEqual(no, other)
    const { recipientsOf } = await import('../store/registrations.ts')
    assert.equal((await recipientsOf(fixture.database, 'alpha', [no, other])).length, 1)
  })
})

const emptyAccountState = {
  memberId: '',
  available: 0n,
  pending: 0n,
  held: 0n,
  debt: 0n,
  nextExpiryPoints: 0n,
  lifetimeEarned: 0n,
  cause: 'earn',
  causeId: '',
  deltaAvailable: 0n,
  currency: 'GBP',
  tier: undefined,
}

describe('places', () => {
  it('go onto the card and wake the phone', async () => {
    const memberId = await fixture.member('alpha')
    await install('alpha', memberId, 'place-1')
    const places = [{ storeId: 's', name: 'Shop', latitude: 51.5, longitude: -0.1, relevantText: 'Near you' }]
    const value = RelevanceState.fromPartial({ memberId, places })
    await fixture.event('alpha', 'relevance', memberId, { $case: 'relevance', value })
    await until('the phone is woken', async () => (await recipientsOn('tx', 'alpha', 'place-1')) === 1)
    const { passJson } = await fixture.client.getPassContent({ brand: 'alpha', memberId })
    assert.deepEqual(JSON.parse(passJson).locations, [{ latitude: 51.5, longitude: -0.1, relevantText: 'Near you' }])
  })
})

describe('a campaign', () => {
  it('reaches exactly those who may be told, once, and shows its newest message', async () => {
    const told = await fixture.member('campaign', { locale: 'en' })
    const noConsent = await fixture.member('campaign', { marketingConsent: false })
    const blocked = await fixture.member('campaign', { status: 'blocked' })
    const outside = await fixture.member('campaign')
    const nos: bigint[] = []
    for (const [index, member] of [told, noConsent, blocked, outside].entries()) {
      nos.push(await install('campaign', member, `phone-${index}`))
    }
    await fixture.account('campaign', told, 1n)
    await projected('campaign')
    const bitmap = Buffer.alloc(bitmapBytes)
    for (const no of nos.slice(0, 3)) bitmap[Number(no) >> 3] = (bitmap[Number(no) >> 3] ?? 0) | (1 << (Number(no) & 7))
    const send = async (campaignId: string, campaignSeq: bigint, text: string, twice = false) => {
      const message = CampaignMessage.fromPartial({ texts: [{ locale: 'en', text }] })
      const value = { campaignId, campaignSeq, index: 0, base: 0n, bitmap, message, coversEverybody: false }
      for (let round = 0; round < (twice ? 2 : 1); round++) {
        await fixture.event('campaign', 'chunk', `${campaignId}/0`, { $case: 'chunk', value })
      }
    }
    const text = '{points, plural, one {# point} other {# points}} wait at {brand}'
    await send('c2', 2n, text, true)
    await send('c1', 1n, 'older', false)
    await until('both chunks are stored', async () => (await count('bump', 'campaign')) === 2)
    const chunks = await fixture.chunks('bulk', 'campaign', 2)
    assert.deepEqual(
      chunks.map((chunk) => chunk.chunkId),
      ['c2/0/0of1', 'c1/0/0of1'],
    )
    for (const chunk of chunks) {
      assert.deepEqual(chunk.deviceLibraryId, ['phone-0'])
      assert.equal(chunk.topic, campaignBrand.passTypeId)
    }
    const content = await fixture.client.getPassContent({ brand: 'campaign', memberId: told })
    assert.equal(content.lockScreenText, '1 point wait at Brand campaign')
    const back = JSON.parse(content.passJson).storeCard.backFields.find(
      (field: { key: string }) => field.key === 'message',
    )
    assert.deepEqual([back.value, back.changeMessage], ['1 point wait at Brand campaign', '%@'])
    for (const memberId of [noConsent, blocked, outside]) {
      const { lockScreenText } = await fixture.client.getPassContent({ brand: 'campaign', memberId })
      assert.equal(lockScreenText, '')
    }
  })

  it('leaves no message on the card of somebody who withdraws consent, and wakes the phone for it', async () => {
    const memberId = await fixture.member('campaign')
    const no = await install('campaign', memberId, 'withdrawing')
    const bitmap = withBits(new Uint8Array(bitmapBytes), [Number(no)])
    const message = { texts: [{ locale: 'en', text: 'Come' }] }
    const shared = { campaignId: 'c3', campaignSeq: 3n, bitmap, message, coversEverybody: false }
    await fixture.event('campaign', 'chunk', 'c3/0', { $case: 'chunk', value: { ...shared, index: 0, base: 0n } })
    const shown = async () => (await fixture.client.getPassContent({ brand: 'campaign', memberId })).lockScreenText
    await until('the message is there', async () => (await shown()) === 'Come')
    await fixture.member('campaign', { memberId, marketingConsent: false })
    await until('the message is gone', async () => (await shown()) === '')
    await until('the phone is woken', async () => (await recipientsOn('tx', 'campaign', 'withdrawing')) === 1)
    await fixture.member('campaign', { memberId, marketingConsent: true })
    await fixture.account('campaign', memberId, 1n)
    await projected('campaign')
    assert.equal(await shown(), '', 'it does not come back with the consent')
  })
})

describe('results', () => {
  it('drop dead tokens, unless the phone has named its token since', async () => {
    const memberId = await fixture.member('alpha')
    const no = await install('alpha', memberId, 'dead-1')
    const fresh = await fixture.member('alpha')
    const freshNo = await install('alpha', fresh, 'fresh-1')
    const now = Date.now()
    const result = PushResult.fromPartial({
      chunkId: uuidv7(now - 60_000),
      brand: 'alpha',
      lane: 'tx',
      outcomes: [PushOutcome.PUSH_OUTCOME_DEAD_TOKEN, PushOutcome.PUSH_OUTCOME_DEAD_TOKEN],
      passNo: [no, freshNo],
      deviceLibraryId: ['dead-1', 'fresh-1'],
      deadSinceMs: [BigInt(now + 60_000), BigInt(now - 60_000)],
    })
    await fixture.nats.jetstream.publish(subjects.pushResult('alpha'), PushResult.encode(result).finish())
    const device = (id: string) => fixture.database.query('SELECT 1 FROM device WHERE device_library_id = $1', [id])
    await until('the dead one is gone', async () => (await device('dead-1')).length === 0)
    assert.equal((await device('fresh-1')).length, 1)
    assert.equal((await fixture.pass('alpha', memberId)).devices, 0)
  })
})

describe('a design', () => {
  it('is refused with the field that is wrong, and nothing changes', async () => {
    const put = (change: Parameters<typeof testTemplate>[0]) =>
      fixture.client.putTemplate({ idempotencyKey: uuidv7(), brand: 'plain', template: testTemplate(change) })
    const field = (key: string, value: string, kind = '') => ({ key, label: '', value, changeMessage: '', kind })
    const wrong = [
      [{ images: {} }, 'template.images[icon.png]'],
      [{ images: { 'icon.png': Buffer.from('no') } }, 'template.images[icon.png]'],
      [{ headerFields: [field('a', '{nothing}')] }, 'template.header_fields[0].value'],
      [{ headerFields: [field('a', '{points')] }, 'template.header_fields[0].value'],
      [{ headerFields: [field('a', '{name}', 'number')] }, 'template.header_fields[0].value'],
      [{ headerFields: [field('a', 'x'), field('a', 'y')] }, 'template.header_fields[1].key'],
      [{ barcodeFormats: ['ean13'] }, 'template.barcode_formats[0]'],
      [{ googleLogoUrl: 'ftp://x' }, 'template.google_logo_url'],
      [{ backgroundColor: 0x1000000 }, 'template.background_color'],
    ] as const
    for (const [change, path] of wrong) {
      await assert.rejects(put(change as Parameters<typeof put>[0]), { code: 'INVALID_ARGUMENT', field: path })
    }
    await assert.rejects(fixture.client.getTemplate({ brand: 'plain' }), { code: 'NOT_FOUND' })
  })

  it('is published once per key, and installed cards and Google follow it', async () => {
    const memberId = await fixture.member('plain')
    await install('plain', memberId, 'design-1')
    const template = testTemplate()
    assert.equal((await fixture.client.putTemplate({ idempotencyKey: 'a', brand: 'plain', template })).version, 1)
    await until('the phone is woken', async () => (await recipientsOn('bulk', 'plain', 'design-1')) === 1)
    const before = await fixture.pass('plain', memberId)
    const next = testTemplate({ backgroundColor: 0x445566 })
    assert.equal((await fixture.client.putTemplate({ idempotencyKey: 'b', brand: 'plain', template: next })).version, 2)
    assert.equal((await fixture.client.putTemplate({ idempotencyKey: 'b', brand: 'plain', template: next })).version, 2)
    const reused = fixture.client.putTemplate({ idempotencyKey: 'b', brand: 'plain', template })
    await assert.rejects(reused, { code: 'IDEMPOTENCY_CONFLICT' })
    assert.equal((await fixture.pass('plain', memberId)).version, before.version + 1n)
    await until('the phone is woken again', async () => (await recipientsOn('bulk', 'plain', 'design-1')) === 2)
    await until('the way is finished', async () => (await count('rollout', 'plain')) === 0)
    assert.deepEqual((await fixture.client.getTemplate({ brand: 'plain' })).template, next)
    assert.equal((await fixture.pass('plain', memberId)).googleSaveUrl, '')
    const subject = subjects.google(alpha.googleIssuerId, 'loyaltyClass', `${alpha.googleIssuerId}.alpha.v1`)
    const [bytes] = await fixture.payloads('PUSH_GOOGLE', subject, 1)
    assert.equal(JSON.parse(GoogleWork.decode(bytes ?? new Uint8Array()).resourceJson).reviewStatus, 'UNDER_REVIEW')
  })

  it('follows a changed name of the brand', async () => {
    const memberId = await fixture.member('alpha')
    const before = await fixture.pass('alpha', memberId)
    const bucket = await fixture.nats.kv('brands')
    await bucket.put('alpha', JSON.stringify({ ...alpha, name: 'New name' }))
    await until('the version has grown', async () => (await fixture.pass('alpha', memberId)).version > before.version)
    const { passJson } = await fixture.client.getPassContent({ brand: 'alpha', memberId })
    assert.equal(JSON.parse(passJson).organizationName, 'New name')
  })
})

describe('listing passes', () => {
  it('goes through all in the order of their numbers', async () => {
    const nos: bigint[] = []
    let pageToken = ''
    do {
      const page = await fixture.client.listPasses({ brand: 'campaign', pageSize: 2, pageToken })
      nos.push(...page.passes.map((pass) => pass.no))
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    assert.deepEqual(nos, [0n, 1n, 2n, 3n, 4n])
    await assert.rejects(fixture.client.listPasses({ brand: 'campaign', pageToken: 'x' }), { code: 'INVALID_ARGUMENT' })
    await assert.rejects(fixture.client.listPasses({ brand: 'nobody' }), { code: 'NOT_FOUND' })
  })
})

describe('the capacity', () => {
  it('is told', async () => {
    const bucket = await fixture.nats.kv('capacity')
    const keys: string[] = []
    for await (const key of await bucket.keys()) keys.push(key)
    const entry = await bucket.get(keys[0] ?? '')
    const told = JSON.parse(entry?.string() ?? '{}')
    assert.ok(told.passesPerSecond >= 20 && told.lagMs >= 0, JSON.stringify(told))
  })
})
