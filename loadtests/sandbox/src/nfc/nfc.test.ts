import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  answerVas,
  NfcError,
  readVas,
  type SavedObject,
  SmartTapPhone,
  SmartTapReader,
  type VasPass,
  vasRequest,
} from './index.ts'
import { decodeNdef, encodeNdef, payloadOf, record } from './ndef.ts'

const now = new Date('2026-11-25T10:00:00Z')
const reader = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const pass: VasPass = {
  passTypeIdentifier: 'pass.example.demo',
  message: '4000000000000002',
  encryptionPublicKey: reader.publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
}

function fails(code: string) {
  return (error: unknown) => error instanceof NfcError && error.code === code
}

describe('a tap on Apple’s VAS', () => {
  const request = vasRequest(pass.passTypeIdentifier)
  const answer = answerVas([pass], request, now)

  it('asks as readers do', () => {
    // Version and the hash of a pass type as in a public capture of a real reader.
    const expected = '9f220201009f252003b57cdb3eca0984ba9abdc2fb45d86626d87b39d33c5c6dbbc313a6347a31469f260400800002'
    assert.equal(vasRequest('pass.com.passkit.pksamples.nfcdemo').toString('hex'), expected)
  })

  it('gives the message to the reader whose key the pass holds', () => {
    assert.deepEqual(readVas(answer, pass.passTypeIdentifier, reader.privateKey), { message: pass.message, at: now })
  })

  it('opens a pass whose key is a compressed point', () => {
    const head = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex')
    const spki = reader.publicKey.export({ format: 'der', type: 'spki' })
    const [x, y] = [spki.subarray(-64, -32), spki.subarray(-32)]
    const point = Buffer.concat([Buffer.from([2 + ((y.at(-1) ?? 0) & 1)]), x])
    const compressed = { ...pass, encryptionPublicKey: Buffer.concat([head, point]).toString('base64') }
    const bytes = answerVas([compressed], request, now)
    assert.equal(readVas(bytes, pass.passTypeIdentifier, reader.privateKey).message, pass.message)
  })

  it('cuts a message at 64 bytes, as Wallet does', () => {
    const long = answerVas([{ ...pass, message: 'x'.repeat(80) }], request, now)
    assert.equal(readVas(long, pass.passTypeIdentifier, reader.privateKey).message.length, 64)
  })

  it('tells nothing to another reader, for another pass type, or once a byte was changed', () => {
    assert.throws(() => readVas(answer, pass.passTypeIdentifier, stranger.privateKey), fails('WRONG_KEY'))
    assert.throws(() => readVas(answer, 'pass.example.other', reader.privateKey), fails('NOT_AUTHENTIC'))
    for (const at of [answer.length - 1, answer.length - 17]) {
      const changed = Buffer.from(answer)
      changed[at] = (changed[at] ?? 0) ^ 1
      assert.throws(() => readVas(changed, pass.passTypeIdentifier, reader.privateKey), fails('NOT_AUTHENTIC'))
    }
    assert.throws(() => readVas(answer.subarray(0, 40), pass.passTypeIdentifier, reader.privateKey), NfcError)
    assert.throws(() => answerVas([pass], vasRequest('pass.example.other'), now), fails('NO_PASS'))
  })
})

describe('a tap on Google’s Smart Tap', () => {
  const issuerId = '3388000000012345678'
  const collector = { id: 20_180_608, privateKey: reader.privateKey, keyVersion: 1 }
  const pem = (key: typeof reader) => key.publicKey.export({ format: 'pem', type: 'spki' }).toString()
  const registered = { issuerId, id: collector.id, publicKeys: new Map([[1, pem(reader)]]) }
  const saved: SavedObject = {
    kind: 'loyalty',
    class: { enableSmartTap: true, redemptionIssuers: [issuerId] },
    object: { id: `${issuerId}.card`, smartTapRedemptionValue: '4000000000000002' },
  }

  function tap(objects: readonly SavedObject[], from = collector): readonly string[] {
    const phone = new SmartTapPhone(objects, [registered])
    const terminal = new SmartTapReader(from)
    const negotiated = phone.negotiate(terminal.negotiate(phone.nonce))
    return terminal.read(negotiated, phone.answer(terminal.request()))
  }

  it('gives the redemption value to a reader of the issuer, and what stands in for it', () => {
    const { smartTapRedemptionValue: _, ...bare } = saved.object
    const offer = { ...saved, kind: 'offer', object: { ...bare, barcode: { value: 'CODE' } } } as const
    assert.deepEqual(tap([saved, offer]), ['4000000000000002', 'CODE'])
  })

  it('refuses a reader that cannot prove whose it is', () => {
    assert.throws(() => tap([saved], { ...collector, privateKey: stranger.privateKey }), fails('READER_REFUSED'))
    assert.throws(() => tap([saved], { ...collector, id: 1 }), fails('READER_REFUSED'))
    assert.throws(() => tap([saved], { ...collector, keyVersion: 2 }), fails('READER_REFUSED'))
  })

  it('keeps back an object that is not for readers, not for this issuer, or not active', () => {
    assert.throws(() => tap([{ ...saved, class: {} }]), fails('NO_PASS'))
    assert.throws(
      () => tap([{ ...saved, class: { enableSmartTap: true, redemptionIssuers: ['1'] } }]),
      fails('NO_PASS'),
    )
    assert.throws(() => tap([{ ...saved, object: { ...saved.object, state: 'EXPIRED' } }]), fails('NO_PASS'))
  })

  it('notices a record that was changed on its way', () => {
    const phone = new SmartTapPhone([saved], [registered])
    const terminal = new SmartTapReader(collector)
    const negotiated = phone.negotiate(terminal.negotiate(phone.nonce))
    const answer = phone.answer(terminal.request())
    answer[answer.length - 40] = (answer.at(-40) ?? 0) ^ 1
    assert.throws(() => terminal.read(negotiated, answer), fails('NOT_AUTHENTIC'))
  })

  it('speaks as readers do: the request of a public capture, byte for byte', () => {
    const terminal = new SmartTapReader({ ...collector, id: 0x01020304 }, Buffer.from('6b159a80fc8283fd', 'hex'))
    const captured =
      'd4033b737271000194030a7365736b159a80fc8283fd010114030b6d6572d40305636c64040102030414' +
      '0307736c72d40301737472005403057063724100000004'
    assert.equal(terminal.request().toString('hex'), captured)
  })

  it('reads the negotiation of a public capture', () => {
    const captured =
      'd403376e727394030a7365736b159a80fc8283fd010154032164706b03dfee38dbdb68a607383ad622640b180cc7e27d796b4e788c40e5d994291c71fc'
    const nested = decodeNdef(payloadOf(decodeNdef(Buffer.from(captured, 'hex')), 'nrs'))
    assert.deepEqual(
      nested.map(({ type, payload }) => [type, payload.length]),
      [
        ['ses', 10],
        ['dpk', 33],
      ],
    )
  })
})

describe('NDEF', () => {
  it('keeps long records and ids', () => {
    const records = [record('abc', Buffer.alloc(300, 7), 'id'), record('d', Buffer.alloc(0))]
    assert.deepEqual(decodeNdef(encodeNdef(records)), records)
  })

  it('refuses what is cut off', () => {
    const bytes = encodeNdef([record('abc', Buffer.alloc(20))])
    for (let length = 1; length < bytes.length; length++) {
      assert.throws(() => decodeNdef(bytes.subarray(0, length)), fails('MALFORMED'))
    }
  })
})
