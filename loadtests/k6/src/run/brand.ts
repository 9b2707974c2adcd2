import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { credentialShard } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { Template } from '@stampede/proto/templates/v1'
import { authorityDir, createAuthority } from '@stampede/sandbox'
import type { Clients } from './clients.ts'
import { repository } from './platform.ts'
import type { Target } from './target.ts'

const teamId = 'STAMPEDE01'
const imageNames = ['icon.png', 'icon@2x.png', 'icon@3x.png', 'logo.png', 'logo@2x.png', 'strip.png', 'strip@2x.png']
const readyMs = 60_000

/** Stores that receipts name. */
export const loadStores: readonly string[] = Array.from({ length: 200 }, (_, index) => `store-${index}`)

/** Makes the brand of load tests on this machine's platform; a second time changes nothing. Its campaigns have the ceiling. */
export async function prepareBrand({ brand, home }: Target, clients: Clients, maxBulkPerSecond: number): Promise<void> {
  if (home === undefined) return
  const passTypeId = `pass.example.stampede.${brand}`
  writeCertificate(home, brand, passTypeId)
  await clients.enrollment.createBrand({
    idempotencyKey: `brand/${brand}`,
    brand: {
      brand,
      name: 'Load',
      timeZone: 'Europe/London',
      currency: 'GBP',
      passTypeId,
      teamId,
      weight: 10,
      maxBulkPerSecond,
      contact: 'Load & Co, 1 Test Street, London',
    },
  })
  // The other services learn of a brand by its event.
  await until('the brand at the ledger', () => succeeds(() => putProgramme(brand, clients)), readyMs)
  await until('the brand at pass-render', () => succeeds(() => putTemplate(brand, clients)), readyMs)
  await until(
    'the certificate at pass-render',
    async () => (await clients.passes.getBrandStatus({ brand })).appleCertificate === 'ok',
    readyMs,
  )
}

function putProgramme(brand: string, { ledger }: Clients) {
  return ledger.putProgramme({
    idempotencyKey: `programme/${brand}`,
    brand,
    programme: {
      earnBasisPoints: 500,
      pointsLiveDays: 365,
      maxPayBasisPoints: 5_000,
      pointValueMinor: 1n,
      holdSeconds: 900,
    },
  })
}

function putTemplate(brand: string, { passes }: Clients) {
  const assets = join(repository, 'demo', 'assets')
  const field = (key: string, label: string, value: string, changeMessage: string, kind: string) => {
    return { key, label, value, changeMessage, kind }
  }
  const template = Template.fromPartial({
    backgroundColor: 0x14213d,
    foregroundColor: 0xffffff,
    labelColor: 0xf2c14e,
    logoText: 'Load',
    headerFields: [field('points', 'POINTS', '{points}', 'You now have %@ points', 'number')],
    secondaryFields: [field('name', 'MEMBER', '{name}', '', 'text')],
    backFields: [
      field('message', 'News', '{message}', '%@', 'text'),
      field('contact', 'Contact', '{contact}', '', 'text'),
    ],
    images: Object.fromEntries(imageNames.map((name) => [name, readFileSync(join(assets, name))])),
    barcodeFormats: ['qr'],
  })
  return passes.putTemplate({ idempotencyKey: `template/${brand}`, brand, template })
}

async function succeeds(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call()
    return true
  } catch {
    return false
  }
}

function writeCertificate({ credentials, sandbox }: NonNullable<Target['home']>, brand: string, passTypeId: string) {
  const folder = join(credentials, credentialShard(brand))
  const file = join(folder, `${brand}.apple.pem`)
  if (existsSync(file)) return
  mkdirSync(folder, { recursive: true })
  const { leafPem, wwdrPem, keyPem } = createAuthority(authorityDir(sandbox)).issuePassCertificate({
    passTypeId,
    teamId,
  })
  writeFileSync(file, leafPem + wwdrPem + keyPem, { mode: 0o600 })
}
