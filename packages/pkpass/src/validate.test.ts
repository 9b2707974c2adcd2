import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MAX_IMAGE_BYTES, PkpassError, prepareAssets, validatePassJson } from './index.ts'
import { testPng } from './testing/index.ts'

const field = { key: 'points', value: 1 }
const valid = {
  formatVersion: 1,
  passTypeIdentifier: 'pass.example.demo',
  teamIdentifier: 'ABCDE12345',
  serialNumber: 's',
  organizationName: 'Demo',
  description: 'Card',
  storeCard: { primaryFields: [field] },
}
const place = { latitude: 51.5, longitude: -0.1 }
const barcode = { format: 'PKBarcodeFormatQR', message: 'x', messageEncoding: 'iso-8859-1' }

const wrong: Readonly<Record<string, readonly [object, string]>> = {
  'a missing serial number': [{ serialNumber: undefined }, 'serialNumber'],
  'another format version': [{ formatVersion: 2 }, 'formatVersion'],
  'a pass type without its prefix': [{ passTypeIdentifier: 'example' }, 'passTypeIdentifier'],
  'a short team': [{ teamIdentifier: 'ABC' }, 'teamIdentifier'],
  'no style': [{ storeCard: undefined }, 'storeCard'],
  'two styles': [{ coupon: {} }, 'coupon'],
  'a hexadecimal colour': [{ backgroundColor: '#112233' }, 'backgroundColor'],
  'a colour beyond 255': [{ labelColor: 'rgb(1, 2, 256)' }, 'labelColor'],
  'one barcode instead of a list': [{ barcodes: barcode }, 'barcodes'],
  'an unknown barcode format': [{ barcodes: [barcode, { ...barcode, format: 'QR' }] }, 'barcodes[1].format'],
  'a chain that only iOS 27 draws': [
    { barcodes: [barcode, { ...barcode, format: 'PKBarcodeFormatEAN13', message: '4006381333931' }] },
    'barcodes[1].format',
  ],
  'a wrong check digit': [
    { barcodes: [{ ...barcode, format: 'PKBarcodeFormatEAN13', message: '4006381333932' }, barcode] },
    'barcodes[0].message',
  ],
  'what Code 128 cannot say': [
    { barcodes: [{ ...barcode, format: 'PKBarcodeFormatCode128', message: 'é' }] },
    'barcodes[0].message',
  ],
  'an unknown key': [{ backgroundcolor: 'rgb(1, 2, 3)' }, 'backgroundcolor'],
  'an unknown key of a field': [
    { storeCard: { primaryFields: [{ ...field, colour: 'red' }] } },
    'storeCard.primaryFields[0].colour',
  ],
  'an unknown group': [{ storeCard: { frontFields: [] } }, 'storeCard.frontFields'],
  'an unknown key of a place': [{ locations: [{ ...place, name: 'x' }] }, 'locations[0].name'],
  'a control character': [
    { storeCard: { primaryFields: [{ key: 'a', value: 'x\u0000' }] } },
    'storeCard.primaryFields[0].value',
  ],
  'half a character': [
    { storeCard: { primaryFields: [{ key: 'a', value: '\ud800' }] } },
    'storeCard.primaryFields[0].value',
  ],
  'another tag than a link': [
    { storeCard: { backFields: [{ ...field, attributedValue: '<b>x</b>' }] } },
    'storeCard.backFields[0].attributedValue',
  ],
  'a bare ampersand in a link': [
    { storeCard: { backFields: [{ ...field, attributedValue: '<a href="https://a.test?b=1&c=2">x</a>' }] } },
    'storeCard.backFields[0].attributedValue',
  ],
  'a link that is a script': [
    { storeCard: { backFields: [{ ...field, attributedValue: '<a href="javascript:alert(1)">x</a>' }] } },
    'storeCard.backFields[0].attributedValue',
  ],
  'a link that is a script in disguise': [
    {
      storeCard: { backFields: [{ ...field, attributedValue: '<a href=" java&#x73;cr&#9;ipt&colon;alert(1)">x</a>' }] },
    },
    'storeCard.backFields[0].attributedValue',
  ],
  'a link that is a document of its own': [
    { storeCard: { backFields: [{ ...field, attributedValue: "<a href='data:text/html,x'>x</a>" }] } },
    'storeCard.backFields[0].attributedValue',
  ],
  'a row on a store card': [
    { storeCard: { auxiliaryFields: [{ ...field, row: 1 }] } },
    'storeCard.auxiliaryFields[0].row',
  ],
  'a poster beside an event': [{ storeCard: undefined, eventTicket: {}, posterGeneric: {} }, 'posterGeneric'],
  'five primary fields on a poster': [
    { posterGeneric: { primaryFields: ['a', 'b', 'c', 'd', 'e'].map((key) => ({ key, value: 1 })) } },
    'posterGeneric.primaryFields',
  ],
  'a preferred scheme on a store card': [{ preferredStyleSchemes: ['eventTicket'] }, 'preferredStyleSchemes'],
  'a begin without an end': [{ relevantDates: [{ startDate: '2027-01-01T00:00:00Z' }] }, 'relevantDates[0].endDate'],
  'an end before its begin': [
    { relevantDates: [{ startDate: '2027-01-02T00:00:00Z', endDate: '2027-01-01T00:00:00Z' }] },
    'relevantDates[0].endDate',
  ],
  'an action of another kind': [
    { featuredActions: [{ identifier: 'a', type: 'fly', url: 'https://a.test' }] },
    'featuredActions[0].type',
  ],
  'a message for readers of 65 bytes': [{ nfc: { message: 'é'.repeat(33), encryptionPublicKey: 'x' } }, 'nfc.message'],
  'a key for readers that is none': [
    { nfc: { message: 'x', encryptionPublicKey: Buffer.from('x').toString('base64') } },
    'nfc.encryptionPublicKey',
  ],
  'an app address without its app': [{ appLaunchURL: 'https://a.test' }, 'appLaunchURL'],
  'eleven places': [{ locations: Array(11).fill(place) }, 'locations'],
  'a latitude as text': [{ locations: [{ ...place, latitude: '51' }] }, 'locations[0].latitude'],
  'a distance as text': [{ maxDistance: '100' }, 'maxDistance'],
  'a beacon without UUID': [{ beacons: [{ proximityUUID: 'x' }] }, 'beacons[0].proximityUUID'],
  'a beacon number beyond 16 bits': [
    { beacons: [{ proximityUUID: '0184fb2c-6b52-7c3e-8000-000000000001', major: 65_536 }] },
    'beacons[0].major',
  ],
  'a bare zone in a date': [{ expirationDate: '2027-01-01T00:00:00+0700' }, 'expirationDate'],
  'a flag as text': [{ voided: 'true' }, 'voided'],
  'a token without an address': [{ authenticationToken: '0123456789abcdef' }, 'webServiceURL'],
  'a short token': [{ webServiceURL: 'https://a.test', authenticationToken: 'short' }, 'authenticationToken'],
  'a plain http address': [
    { webServiceURL: 'http://a.test', authenticationToken: '0123456789abcdef' },
    'webServiceURL',
  ],
  'two primary fields': [{ storeCard: { primaryFields: [field, { ...field, key: 'b' }] } }, 'storeCard.primaryFields'],
  'five secondary and auxiliary fields': [
    {
      storeCard: {
        secondaryFields: ['a', 'b', 'c'].map((key) => ({ key, value: 1 })),
        auxiliaryFields: ['d', 'e'].map((key) => ({ key, value: 1 })),
      },
    },
    'storeCard.auxiliaryFields',
  ],
  'a key used twice': [{ storeCard: { primaryFields: [field], backFields: [field] } }, 'storeCard.backFields[0].key'],
  'a change message without its place': [
    { storeCard: { primaryFields: [{ ...field, changeMessage: 'new' }] } },
    'storeCard.primaryFields[0].changeMessage',
  ],
  'an alignment on the back': [
    { storeCard: { backFields: [{ ...field, textAlignment: 'PKTextAlignmentLeft' }] } },
    'storeCard.backFields[0].textAlignment',
  ],
  'a number style on text': [
    { storeCard: { headerFields: [{ key: 'a', value: 'x', numberStyle: 'PKNumberStyleDecimal' }] } },
    'storeCard.headerFields[0].value',
  ],
  'currency beside number style': [
    { storeCard: { headerFields: [{ ...field, numberStyle: 'PKNumberStyleDecimal', currencyCode: 'EUR' }] } },
    'storeCard.headerFields[0].currencyCode',
  ],
  'a date style on a number': [
    { storeCard: { headerFields: [{ ...field, dateStyle: 'PKDateStyleShort' }] } },
    'storeCard.headerFields[0].value',
  ],
  'an object as value': [{ storeCard: { headerFields: [{ key: 'a', value: {} }] } }, 'storeCard.headerFields[0].value'],
}

describe('pass.json', () => {
  it('accepts a full store card', () => {
    const full = {
      ...valid,
      barcodes: [barcode],
      locations: Array(10).fill(place),
      maxDistance: 100,
      expirationDate: '2027-01-01T00:00:00+07:00',
      backgroundColor: 'rgb(0,10,255)',
    }
    assert.equal(validatePassJson(full).serialNumber, 's')
  })

  for (const [name, [change, path]] of Object.entries(wrong)) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => validatePassJson({ ...valid, ...change }),
        (error) =>
          error instanceof PkpassError && error.code === 'INVALID_PASS' && assert.equal(error.path, path) === undefined,
      )
    })
  }
})

describe('images', () => {
  const icon = testPng(38, 38, 0x123456)
  const path = (expected: string) => (error: unknown) => error instanceof PkpassError && error.path === expected

  it('demand an icon, PNG bytes, known names and a bounded size', () => {
    assert.equal(prepareAssets({ 'icon.png': icon, 'de.lproj/logo@2x.png': icon }).digests.size, 2)
    assert.throws(() => prepareAssets({ 'logo.png': icon }), path('icon.png'))
    assert.throws(() => prepareAssets({ 'icon.png': Buffer.from('GIF89a'.padEnd(40)) }), path('icon.png'))
    assert.throws(() => prepareAssets({ 'icon.png': icon, '../x.png': icon }), path('../x.png'))
    assert.throws(() => prepareAssets({ 'icon.png': icon, 'pass.json': icon }), path('pass.json'))
    const huge = Buffer.concat([icon, Buffer.alloc(MAX_IMAGE_BYTES)])
    assert.throws(() => prepareAssets({ 'icon.png': icon, 'strip.png': huge }), path('strip.png'))
    const wide = Buffer.from(icon)
    wide.writeUInt32BE(100_000, 16)
    assert.throws(() => prepareAssets({ 'icon.png': wide }), path('icon.png'))
  })
})
