import { createHash } from 'node:crypto'
import { type PassJson, prepareAssets } from '../src/index.ts'
import { createTestAuthority, type PassCredentials, testPng } from '../src/testing/index.ts'

/** What every pass of the benchmark says about its brand. */
export const identity = { passTypeIdentifier: 'pass.example.bench', teamIdentifier: 'ABCDE12345' }

/** Sizes of the images without ballast do not count: together they weigh 60 kB. */
const sizes = [
  { name: 'icon.png', width: 38, height: 38, bytes: 3_000 },
  { name: 'icon@2x.png', width: 76, height: 76, bytes: 6_000 },
  { name: 'icon@3x.png', width: 114, height: 114, bytes: 9_000 },
  { name: 'logo.png', width: 160, height: 50, bytes: 4_000 },
  { name: 'logo@2x.png', width: 320, height: 100, bytes: 8_000 },
  { name: 'strip@2x.png', width: 750, height: 288, bytes: 30_000 },
]

/** The images of the design by file name, 60 kB of bytes that do not shrink. */
export const images: Readonly<Record<string, Buffer>> = Object.fromEntries(
  sizes.map(({ name, width, height, bytes }) => {
    const bare = testPng(width, height, 0x22_44_66)
    const ballast = Buffer.alloc(bytes - bare.length - chunkBytes())
    for (let at = 0; at < ballast.length; at += 32) ballast.set(noise(name, at).subarray(0, ballast.length - at), at)
    return [name, testPng(width, height, 0x22_44_66, ballast)]
  }),
)

/** Length, type and checksum of a PNG chunk. */
function chunkBytes(): number {
  return 12
}

function noise(name: string, at: number): Buffer {
  return createHash('sha256').update(`${name} ${at}`).digest()
}

/** The images, prepared once as a server does. */
export const prepared = prepareAssets(images)

/** A member's card as a retail chain sends it; `index` makes it another's. */
export function memberPass(index: number): PassJson {
  const card = String(4_000_000_000_000 + index)
  return {
    formatVersion: 1,
    ...identity,
    serialNumber: `card-${card}`,
    organizationName: 'Bench',
    description: 'Member card',
    storeCard: {
      headerFields: [{ key: 'level', label: 'Level', value: 'Gold' }],
      primaryFields: [{ key: 'points', label: 'Points', value: index, changeMessage: 'You have %@ points' }],
      secondaryFields: [
        { key: 'name', label: 'Name', value: 'Anna Petrova' },
        { key: 'until', label: 'Valid until', value: '2027-01-01T00:00:00Z', dateStyle: 'PKDateStyleMedium' },
      ],
      backFields: [
        { key: 'terms', label: 'Terms', value: 'Points are valid for a year after the last purchase. '.repeat(6) },
        { key: 'contact', label: 'Contact', value: 'help@bench.example' },
      ],
    },
    backgroundColor: 'rgb(1, 2, 255)',
    foregroundColor: 'rgb(255, 255, 255)',
    barcodes: [{ format: 'PKBarcodeFormatQR', message: card, messageEncoding: 'iso-8859-1', altText: card }],
    webServiceURL: 'https://bench.example/passes',
    authenticationToken: `token-${card}`,
    locations: Array.from({ length: 10 }, (_, shop) => ({
      latitude: 55 + shop / 100,
      longitude: 37 + shop / 100,
      relevantText: 'A shop of ours is near',
    })),
  }
}

/** Certificates that live around the present. */
export async function makeCredentials(now: Date): Promise<PassCredentials> {
  const authority = await createTestAuthority(now)
  return await authority.issue(identity)
}
