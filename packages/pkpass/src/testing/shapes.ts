// One bundle of each kind, for the tests that ask other programs about them; not part of the test kit.
import { generateKeyPairSync } from 'node:crypto'
import type { PassJson, Texts } from '../index.ts'
import { identity, images, memberPass } from './fixture.ts'
import { testPng } from './png.ts'

/** What a bundle is built of. */
export interface Shape {
  readonly pass: PassJson
  readonly images: Readonly<Record<string, Buffer>>
  /** By language. */
  readonly languages?: Readonly<Record<string, Texts>>
}

const minimal = {
  formatVersion: 1,
  ...identity,
  serialNumber: '1',
  organizationName: 'Demo',
  description: 'Demo card',
} as const

const readerKey = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey
const nfc = {
  message: 'member-12',
  encryptionPublicKey: readerKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  requiresAuthentication: true,
} as const

const event: PassJson = {
  ...minimal,
  eventTicket: {
    primaryFields: [{ key: 'event', label: 'Event', value: 'Tasting' }],
    auxiliaryFields: [{ key: 'seat', label: 'Seat', value: '12', row: 1 }],
    backFields: [{ key: 'contact', value: 'help@example.test' }],
  },
  groupingIdentifier: 'tasting',
  relevantDates: [{ startDate: '2026-12-01T18:00:00Z', endDate: '2026-12-01T22:00:00Z' }],
}

/** Everything that a store card can say at once. */
const maximal: PassJson = {
  ...memberPass,
  storeCard: {
    headerFields: [{ key: 'level', label: 'Level', value: 'Gold', textAlignment: 'PKTextAlignmentRight' }],
    primaryFields: [{ key: 'balance', label: 'Balance', value: 12.5, currencyCode: 'EUR', changeMessage: '%@ left' }],
    secondaryFields: [
      { key: 'until', label: 'Until', value: '2027-01-01T00:00:00Z', dateStyle: 'PKDateStyleMedium', isRelative: true },
      { key: 'share', label: 'Share', value: 0.5, numberStyle: 'PKNumberStylePercent' },
    ],
    auxiliaryFields: [
      { key: 'name', label: 'Name', value: 'Анна-Мария Константинопольская' },
      { key: 'shop', label: 'Shop', value: 'Größe "L" \\ 1\n2 🙂' },
    ],
    backFields: [
      {
        key: 'site',
        label: 'Site',
        value: 'example.test',
        attributedValue: '<a href="https://example.test/?a=1&amp;b=2">Site</a>',
        dataDetectorTypes: ['PKDataDetectorTypeLink'],
      },
      { key: 'terms', label: 'Terms', value: 'Points are valid for a year. '.repeat(250) },
    ],
  },
  logoText: 'Demo',
  foregroundColor: 'rgb(255,255,255)',
  labelColor: 'rgb(0, 0, 0)',
  barcodes: [
    { format: 'PKBarcodeFormatEAN13', message: '4006381333931', messageEncoding: 'iso-8859-1' },
    { format: 'PKBarcodeFormatCode128', message: '4006381333931', messageEncoding: 'iso-8859-1', altText: '4006' },
    { format: 'PKBarcodeFormatQR', message: '4006381333931', messageEncoding: 'iso-8859-1' },
  ],
  locations: Array.from({ length: 10 }, (_, index) => ({
    latitude: 55.75 + index / 100,
    longitude: 37.62,
    altitude: 150,
    relevantText: `Shop ${index}`,
  })),
  beacons: [{ proximityUUID: '0184fb2c-6b52-7c3e-8000-000000000001', major: 1, minor: 65_535, relevantText: 'Near' }],
  maxDistance: 500,
  expirationDate: '2027-12-31T23:59:59+03:00',
  voided: false,
  sharingProhibited: true,
  suppressStripShine: false,
  associatedStoreIdentifiers: [1_234_567],
  appLaunchURL: 'https://example.test/app',
  userInfo: { member: 12, tags: ['a', 'b'] },
}

/** One bundle of each kind, by name. */
export const shapes: Readonly<Record<string, Shape>> = {
  'a store card': { pass: memberPass, images },
  'a coupon': { pass: { ...minimal, coupon: { primaryFields: [{ key: 'offer', value: '-20 %' }] } }, images },
  'a used coupon': { pass: { ...minimal, coupon: {}, voided: true }, images },
  'a generic pass with a thumbnail': {
    pass: { ...minimal, generic: { primaryFields: [{ key: 'name', value: 'Анна' }] } },
    images: { ...images, 'thumbnail.png': testPng(90, 90, 0x334455) },
  },
  'an event ticket': {
    pass: event,
    images: { ...images, 'background.png': testPng(180, 220, 0x334455) },
  },
  'a poster of an event': {
    pass: { ...event, preferredStyleSchemes: ['posterEventTicket', 'eventTicket'] },
    images: {
      ...images,
      'artwork.png': testPng(358, 448, 0x334455),
      'primaryLogo.png': testPng(126, 30, 0x334455),
      'secondaryLogo.png': testPng(135, 12, 0x334455),
    },
  },
  'a poster beside a store card': {
    pass: {
      ...memberPass,
      posterGeneric: {
        headerFields: [{ key: 'level', value: 'Gold' }],
        primaryFields: [{ key: 'balance', label: 'Points', value: 12 }],
        footerFields: [{ key: 'footer', value: 'Thank you' }],
      },
      featuredActions: [{ identifier: 'shop', type: 'shop', url: 'https://example.test/shop' }],
    },
    images: { ...images, 'artwork@2x.png': testPng(716, 896, 0x334455) },
  },
  'a pass for contactless readers': { pass: { ...memberPass, nfc }, images },
  'a pass in three languages, texts and images': {
    pass: { ...minimal, storeCard: { primaryFields: [{ key: 'points', label: 'Points', value: 1 }] } },
    images: {
      ...images,
      'en.lproj/strip.png': testPng(375, 144, 0x334455),
      'ru.lproj/strip.png': testPng(375, 144, 0x554433),
      'zh-Hans.lproj/strip.png': testPng(375, 144, 0x335544),
    },
    languages: {
      en: { Points: 'Points' },
      ru: { Points: 'Баллы' },
      'zh-Hans': { Points: '积分' },
    },
  },
  'the least that there can be': {
    pass: { ...minimal, storeCard: {} },
    images: { 'icon.png': testPng(38, 38, 0x224466) },
  },
  'all that there can be': { pass: maximal, images },
}
