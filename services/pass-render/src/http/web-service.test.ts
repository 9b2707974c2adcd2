import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { verifyPass } from '@stampede/pkpass'
import { subjects, uuidv7 } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { Event } from '@stampede/proto/events/v1'
import { MAX_DEVICES_PER_PASS } from '../store/registrations.ts'
import { Fixture, testBrand, testTemplate } from '../testing/fixture.ts'

const brand = testBrand('alpha')
const other = testBrand('beta')
let fixture: Fixture

before(async () => {
  fixture = await Fixture.start([brand, other])
  for (const { brand: slug } of [brand, other]) {
    await fixture.client.putTemplate({ idempotencyKey: 'first', brand: slug, template: testTemplate() })
  }
})
after(() => fixture[Symbol.asyncDispose]())

interface Card {
  readonly memberId: string
  readonly serial: string
  readonly no: bigint
  readonly token: string
  readonly path: string
  readonly auth: Record<string, string>
}

async function card(slug = 'alpha'): Promise<Card> {
  const memberId = await fixture.member(slug)
  const pass = await fixture.pass(slug, memberId)
  const answer = await fixture.web('GET', new URL(pass.appleUrl).pathname)
  assert.equal(answer.status, 200)
  const { authenticationToken } = verifyPass(answer.body, fixture.rootPem, new Date()).pass
  assert.ok(authenticationToken)
  const auth = { authorization: `ApplePass ${authenticationToken}` }
  const path = `/v1/passes/pass.test.${slug}/${pass.serial}`
  return { memberId, serial: pass.serial, no: pass.no, token: authenticationToken, path, auth }
}

function registration(pass: Card, device: string, slug = 'alpha'): string {
  return `/v1/devices/${device}/registrations/pass.test.${slug}/${pass.serial}`
}

async function registered(device: string): Promise<Card> {
  const pass = await card()
  const body = JSON.stringify({ pushToken: randomBytes(32).toString('hex') })
  assert.equal((await fixture.web('POST', registration(pass, device), pass.auth, body)).status, 201)
  return pass
}

function list(device: string, tag?: string) {
  const query = tag === undefined ? '' : `?passesUpdatedSince=${encodeURIComponent(tag)}`
  return fixture.web('GET', `/v1/devices/${device}/registrations/pass.test.alpha${query}`)
}

async function raised(pass: Card, available: bigint): Promise<void> {
  await fixture.account('alpha', pass.memberId, available)
  await until('the balance is projected', async () => {
    const rows = await fixture.database.query(
      'SELECT 1 FROM account_state WHERE brand = $1 AND owner_id = $2 AND available = $3',
      ['alpha', pass.memberId, available],
    )
    return rows.length === 1
  })
}

describe('installing', () => {
  it('hands out a signed pass for the install token and nothing for any other', async () => {
    const memberId = await fixture.member('alpha')
    const pass = await fixture.pass('alpha', memberId)
    const path = new URL(pass.appleUrl).pathname
    const answer = await fixture.web('GET', path)
    assert.equal(answer.headers['content-type'], 'application/vnd.apple.pkpass')
    const read = verifyPass(answer.body, fixture.rootPem, new Date())
    assert.equal(read.pass.serialNumber, pass.serial)
    assert.equal(read.pass.webServiceURL, `https://localhost:${fixture.service.webPort}`)
    const flipped = `${path.slice(0, -1)}${path.endsWith('A') ? 'B' : 'A'}`
    for (const wrong of [`${path}x`, flipped, '/i/', '/i/abc']) {
      assert.equal((await fixture.web('GET', wrong)).status, 404, wrong)
    }
  })
})

describe('registering', () => {
  it('answers 201 for a new device, 200 for a known one with another token, and keeps the newest token', async () => {
    const pass = await card()
    const path = registration(pass, 'device-a')
    assert.equal((await fixture.web('POST', path, pass.auth, '{"pushToken":"aa01"}')).status, 201)
    assert.equal((await fixture.web('POST', path, pass.auth, '{"pushToken":"aa02"}')).status, 200)
    const rows = await fixture.database.query<{ push_token: Buffer }>(
      "SELECT push_token FROM device WHERE brand = 'alpha' AND device_library_id = 'device-a'",
    )
    assert.deepEqual(
      rows.map((row) => row.push_token.toString('hex')),
      ['aa02'],
    )
    assert.equal((await fixture.pass('alpha', pass.memberId)).devices, 1)
    assert.equal((await fixture.web('DELETE', path, pass.auth)).status, 200)
    assert.equal((await fixture.web('DELETE', path, pass.auth)).status, 200)
    assert.equal((await fixture.pass('alpha', pass.memberId)).devices, 0)
    assert.equal((await list('device-a')).status, 204)
  })

  it('refuses a wrong token, scheme, serial or brand with one and the same 401', async () => {
    const pass = await card()
    const stranger = await card('beta')
    const body = '{"pushToken":"aa"}'
    const post = (path: string, authorization?: string) =>
      fixture.web('POST', path, authorization === undefined ? {} : { authorization }, body)
    const path = registration(pass, 'device-b')
    const answers = await Promise.all([
      post(path),
      post(path, `ApplePass ${pass.token}x`),
      post(path, `applepass ${pass.token}`),
      post(path, `ApplePass  ${pass.token}`),
      post(path, `ApplePass ${stranger.token}`),
      post(registration({ ...pass, serial: uuidv7() }, 'device-b'), `ApplePass ${pass.token}`),
      post(registration({ ...pass, serial: 'x' }, 'device-b'), `ApplePass ${pass.token}`),
      post(registration(pass, 'device-b', 'beta'), `ApplePass ${pass.token}`),
      post(registration(pass, 'device-b', 'gamma'), `ApplePass ${pass.token}`),
    ])
    assert.deepEqual(
      answers.map((answer) => [answer.status, answer.body.length]),
      Array(9).fill([401, 0]),
    )
  })

  it('refuses bodies that are no push token or too large', async () => {
    const pass = await card()
    const path = registration(pass, 'device-c')
    for (const body of ['', '{', '{}', '{"pushToken":"xyz"}', '{"pushToken":"abc"}', '{"pushToken":7}', '[]', 'null']) {
      assert.equal((await fixture.web('POST', path, pass.auth, body)).status, 400, body)
    }
    assert.equal((await fixture.web('POST', path, pass.auth, 'x'.repeat(10_000))).status, 413)
  })

  it('keeps the newest registrations of a pass only', async () => {
    const pass = await card()
    for (let index = 0; index < MAX_DEVICES_PER_PASS + 3; index++) {
      const path = registration(pass, `storm-${String(index).padStart(2, '0')}`)
      assert.equal((await fixture.web('POST', path, pass.auth, '{"pushToken":"aa"}')).status, 201)
    }
    assert.equal((await fixture.pass('alpha', pass.memberId)).devices, MAX_DEVICES_PER_PASS)
    const rows = await fixture.database.query<{ device_library_id: string }>(
      "SELECT device_library_id FROM device WHERE device_library_id LIKE 'storm-%' ORDER BY 1",
    )
    assert.deepEqual([rows.length, rows[0]?.device_library_id], [MAX_DEVICES_PER_PASS, 'storm-03'])
  })
})

describe('listing', () => {
  it('names every pass without a tag, nothing when nothing changed, and the pass that changed', async () => {
    const first = await registered('device-d')
    const second = await card()
    assert.equal(
      (await fixture.web('POST', registration(second, 'device-d'), second.auth, '{"pushToken":"ab"}')).status,
      201,
    )
    const all = await list('device-d')
    assert.equal(all.status, 200)
    const answer = JSON.parse(all.body.toString())
    assert.deepEqual(answer.serialNumbers.sort(), [first.serial, second.serial].sort())
    assert.equal(typeof answer.lastUpdated, 'string')
    const again = await list('device-d', answer.lastUpdated)
    assert.deepEqual([again.status, again.body.length], [204, 0])
    await raised(first, 120n)
    const changed = JSON.parse((await list('device-d', answer.lastUpdated)).body.toString())
    assert.deepEqual(changed.serialNumbers, [first.serial])
    assert.equal((await list('device-d', 'rubbish')).status, 200)
    assert.equal((await list('device-d', 'x'.repeat(5_000))).status, 200)
  })

  it('tells nothing of another brand and nothing of an unknown device', async () => {
    await registered('device-e')
    assert.equal((await fixture.web('GET', '/v1/devices/device-e/registrations/pass.test.beta')).status, 204)
    assert.equal((await list('nobody')).status, 204)
  })

  it('loses no change that commits after one with a higher number was shown', async () => {
    const first = await registered('device-f')
    const second = await card()
    await fixture.web('POST', registration(second, 'device-f'), second.auth, '{"pushToken":"ab"}')
    const start = JSON.parse((await list('device-f')).body.toString())
    const raise = 'UPDATE pass SET version = version + 1 WHERE brand = $1 AND no = $2'
    const late = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const slow = fixture.database.transaction(async (tx) => {
      await tx.query(raise, ['alpha', first.no])
      begun.resolve()
      await late.promise
    })
    await begun.promise
    await fixture.database.query(raise, ['alpha', second.no])
    const between = JSON.parse((await list('device-f', start.lastUpdated)).body.toString())
    assert.deepEqual(between.serialNumbers, [second.serial])
    late.resolve()
    await slow
    const end = JSON.parse((await list('device-f', between.lastUpdated)).body.toString())
    assert.deepEqual(end.serialNumbers, [first.serial])
  })
})

describe('fetching', () => {
  it('answers GET, HEAD and 304, and each change has a later Last-Modified', async () => {
    const pass = await registered('device-g')
    const seen: number[] = []
    for (let points = 1n; points <= 3n; points++) {
      await raised(pass, points)
      const got = await fixture.web('GET', pass.path, pass.auth)
      assert.equal(got.status, 200)
      assert.equal(
        verifyPass(got.body, fixture.rootPem, new Date()).pass.storeCard?.primaryFields?.[0]?.value,
        Number(points),
      )
      const modified = String(got.headers['last-modified'])
      seen.push(Date.parse(modified))
      const head = await fixture.web('HEAD', pass.path, pass.auth)
      assert.deepEqual(
        [head.status, head.body.length, head.headers['last-modified'], head.headers['content-length']],
        [200, 0, modified, got.headers['content-length']],
      )
      const same = await fixture.web('GET', pass.path, { ...pass.auth, 'if-modified-since': modified })
      assert.deepEqual([same.status, same.body.length], [304, 0])
    }
    assert.ok(
      seen.every((time, index) => index === 0 || time > (seen[index - 1] ?? 0)),
      String(seen),
    )
    assert.ok(
      seen.every((time) => time < Date.now()),
      'never in the future',
    )
    assert.equal((await fixture.web('GET', pass.path)).status, 401)
  })

  it('makes one signature of many requests at once for the same version', async () => {
    const pass = await card()
    await raised(pass, 77n)
    const answers = await Promise.all(Array.from({ length: 20 }, () => fixture.web('GET', pass.path, pass.auth)))
    assert.equal(new Set(answers.map((answer) => answer.body.toString('base64'))).size, 1)
  })

  it('reports what phones took', async () => {
    const pass = await card()
    await fixture.web('GET', pass.path, pass.auth)
    let taken = 0
    await until('the fetches are on the stream', async () => {
      taken = 0
      const payloads = await fixture.payloads('EVENTS', subjects.fetches('alpha'), 0)
      for (const bytes of payloads) {
        const { payload } = Event.decode(bytes)
        if (payload?.$case === 'fetches') taken += payload.value.no.filter((no) => no === pass.no).length
      }
      return taken >= 2
    })
    assert.equal(taken, 2, 'the install and the fetch')
  })

  it('measures from the ledger’s record to the phone, once it was woken, and only for changes of the ledger', async () => {
    const count = async () =>
      (await fixture.metric('stampede_pass_render_till_to_phone_seconds_count{brand="alpha"}')) ?? 0
    const pass = await registered('device-till')
    const before = await count()
    await raised(pass, 78n)
    await fixture.web('GET', pass.path, pass.auth)
    assert.equal(await count(), before + 1)
    await fixture.member('alpha', { memberId: pass.memberId, status: 'blocked' })
    await until('the card is void', async () => {
      const rows = await fixture.database.query("SELECT 1 FROM pass WHERE no = $1 AND status = 'blocked'", [pass.no])
      return rows.length === 1
    })
    await fixture.web('GET', pass.path, pass.auth)
    assert.equal(await count(), before + 1)
  })

  it('serves a void card to the phone of an erased member, and no new one', async () => {
    const pass = await registered('device-h')
    const path = new URL((await fixture.pass('alpha', pass.memberId)).appleUrl).pathname
    await fixture.member('alpha', { memberId: pass.memberId, status: 'erased' })
    await until('the card is void', async () => {
      const answer = await fixture.web('GET', pass.path, pass.auth)
      return verifyPass(answer.body, fixture.rootPem, new Date()).pass.voided === true
    })
    assert.equal((await fixture.web('GET', path)).status, 404)
  })
})

describe('the rest of the protocol', () => {
  it('takes logs up to a size', async () => {
    assert.equal((await fixture.web('POST', '/v1/log', {}, '{"logs":["bad signature"]}')).status, 200)
    assert.equal((await fixture.web('POST', '/v1/log', {}, '{"logs":7}')).status, 400)
    assert.equal((await fixture.web('POST', '/v1/log', {}, 'x'.repeat(70_000))).status, 413)
  })

  it('answers unknown paths 404 and wrong methods 405', async () => {
    for (const path of ['/', '/v1', '/v2/log', '/v1/passes/a', '/v1/devices/a/b/c', '/%zz']) {
      assert.equal((await fixture.web('GET', path)).status, 404, path)
    }
    const wrong = await fixture.web('PUT', '/v1/log')
    assert.deepEqual([wrong.status, wrong.headers['allow']], [405, 'POST'])
  })

  it('serves the logo for Google', async () => {
    const answer = await fixture.web('GET', '/designs/alpha/card/1/logo.png')
    assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'image/png'])
    assert.equal((await fixture.web('GET', '/designs/alpha/card/9/logo.png')).status, 404)
  })
})

// Last in the file: nothing works after it.
describe('a clean stop', () => {
  it('loses no fetch', async () => {
    const pass = await card()
    assert.equal((await fixture.web('GET', pass.path, pass.auth)).status, 200)
    await fixture.service[Symbol.asyncDispose]()
    const waiting = await fixture.database.query<{ payload: Buffer }>('SELECT payload FROM outbox WHERE subject = $1', [
      subjects.fetches('alpha'),
    ])
    const published = await fixture.payloads('EVENTS', subjects.fetches('alpha'), 0)
    const events = new Map(
      [...published, ...waiting.map((row) => row.payload)].map((bytes) => [Event.decode(bytes).id, bytes]),
    )
    const nos = [...events.values()].flatMap((bytes) => {
      const { payload } = Event.decode(bytes)
      return payload?.$case === 'fetches' ? payload.value.no : []
    })
    assert.equal(nos.filter((no) => no === pass.no).length, 2)
  })
})
