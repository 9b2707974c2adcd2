import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { credentialShard } from '@stampede/platform'
import { Template } from '@stampede/proto/templates/v1'
import { createServiceAccount } from '@stampede/sandbox'
import type { StoryCluster } from '../cluster/start.ts'
import { demoStores } from '../receipts/catalogue.ts'
import type { StoryContext } from './context.ts'
import { persist } from './patience.ts'
import type { StoryState } from './state.ts'

const teamId = 'STAMPEDE01'
const contact = 'Demo Coffee & Home, 1 Oxford Street, London, hello@demo.example'
const googleIssuer = '3388000000012345678'
const assets = new URL('../../assets/', import.meta.url)
const imageNames = ['icon.png', 'icon@2x.png', 'icon@3x.png', 'logo.png', 'logo@2x.png', 'strip.png', 'strip@2x.png']

/** Creates the brand with credentials, programme, card design and stores; the same call again changes nothing. */
export async function createBrand(context: StoryContext, state: StoryState): Promise<StoryState> {
  const { brand, clients, teller } = context
  const passTypeId = passTypeOf(brand)
  if (context.cluster === undefined) await createByCall(context)
  else await createByCluster(context, context.cluster)
  await persist('publishing the programme', () =>
    clients.ledger.putProgramme({
      idempotencyKey: `programme/${brand}`,
      brand,
      programme: {
        earnBasisPoints: 500,
        pointsLiveDays: 365,
        maxPayBasisPoints: 5_000,
        pointValueMinor: 1n,
        holdSeconds: 900,
      },
    }),
  )
  await persist('publishing the stores', () =>
    clients.geo.putStores({
      idempotencyKey: `stores/${brand}`,
      brand,
      stores: demoStores.map((store) => ({
        ...store,
        relevantText: `Your Demo card is ready at ${store.name}`,
        beacons: [],
      })),
    }),
  )
  await persist('publishing the card design', () =>
    clients.passes.putTemplate({ idempotencyKey: `template/${brand}`, brand, template: cardDesign() }),
  )
  teller.line(`brand "Demo" (${brand}), pass type ${passTypeId}, Google issuer ${googleIssuer}`)
  teller.line('programme: 5 % back in points, points live 365 days, up to 50 % of a receipt payable by points')
  teller.line(`card design with ${imageNames.length} images, ${demoStores.length} stores`)
  return makeKeys(context, state)
}

/** By hand: credentials in their folder, the row by gRPC. */
async function createByCall(context: StoryContext): Promise<void> {
  const { brand, clients, options } = context
  writeCredentials(context)
  await persist('creating the brand', () =>
    clients.enrollment.createBrand({
      idempotencyKey: `brand/${brand}`,
      brand: {
        brand,
        name: 'Demo',
        timeZone: options.timeZone,
        currency: options.currency,
        passTypeId: passTypeOf(brand),
        teamId,
        googleIssuerId: googleIssuer,
        weight: 10,
        maxBulkPerSecond: 0,
        contact,
      },
    }),
  )
}

/** By a Brand object: the operator has the certificate issued and makes the row. */
async function createByCluster({ brand, options, teller }: StoryContext, cluster: StoryCluster): Promise<void> {
  const { status } = await cluster.addBrand(brand, {
    displayName: 'Demo',
    timeZone: options.timeZone,
    currency: options.currency,
    contact,
    passTypeIdentifier: passTypeOf(brand),
    teamId,
    googleIssuer,
  })
  teller.line(`Brand ${brand} was applied to the API server and is Ready: key, certificate, credentials, row`)
  teller.line(`certificate ${status?.certificate?.serialNumber} until ${status?.certificate?.notAfter}`)
}

/** Pass type id of a story's brand. */
export function passTypeOf(brand: string): string {
  return `pass.example.stampede.${brand}`
}

async function makeKeys({ brand, clients }: StoryContext, state: StoryState): Promise<StoryState> {
  const make = async (role: string): Promise<string> => {
    for (;;) {
      // A fresh idempotency key each time: a secret is shown once, and its answer may have been lost on the way.
      const idempotencyKey = `key/${brand}/${role}/${crypto.randomUUID()}`
      const { secret } = await persist(`making the ${role} key`, () =>
        clients.enrollment.createApiKey({ idempotencyKey, brand, role, label: `demo ${role}` }),
      )
      if (secret !== '') return secret
    }
  }
  const tillKey = state.tillKey ?? (await make('till'))
  const marketerKey = state.marketerKey ?? (await make('marketer'))
  return { ...state, tillKey, marketerKey }
}

function writeCredentials({ brand, platform }: StoryContext): void {
  const folder = join(platform.folders.credentials, credentialShard(brand))
  mkdirSync(folder, { recursive: true })
  const apple = join(folder, `${brand}.apple.pem`)
  if (!existsSync(apple)) {
    const { leafPem, wwdrPem, keyPem } = platform.authority.issuePassCertificate({
      passTypeId: passTypeOf(brand),
      teamId,
    })
    writeFileSync(apple, leafPem + wwdrPem + keyPem, { mode: 0o600 })
  }
  const google = join(folder, `${brand}.google.json`)
  if (!existsSync(google)) {
    const { clientEmail, privateKeyPem } = createServiceAccount(platform.folders.sandbox, googleIssuer)
    const account = { type: 'service_account', client_email: clientEmail, private_key: privateKeyPem }
    writeFileSync(google, JSON.stringify(account), { mode: 0o600 })
  }
}

function cardDesign(): Template {
  const field = (key: string, label: string, value: string, changeMessage = '', kind = 'text') => ({
    key,
    label,
    value,
    changeMessage,
    kind,
  })
  const images = Object.fromEntries(imageNames.map((name) => [name, readFileSync(new URL(name, assets))]))
  return Template.fromPartial({
    backgroundColor: 0x14213d,
    foregroundColor: 0xffffff,
    labelColor: 0xf2c14e,
    logoText: 'Demo',
    headerFields: [field('points', 'POINTS', '{points}', 'You now have %@ points', 'number')],
    primaryFields: [field('worth', 'WORTH', '{points_money}')],
    secondaryFields: [field('name', 'MEMBER', '{name}')],
    auxiliaryFields: [field('card', 'CARD', '{card_number}')],
    backFields: [
      field('message', 'News', '{message}', '%@'),
      field('expiry', 'Next points to expire', '{next_expiry_points} on {next_expiry_date}'),
      field('programme', 'How it works', '5 % of every purchase comes back as points; one point is one penny.'),
      field('contact', 'Contact', '{contact}'),
    ],
    images,
    barcodeFormats: ['code128', 'qr'],
    googleLogoUrl: 'https://demo.example/wallet/logo.png',
    googleHeroUrl: 'https://demo.example/wallet/hero.png',
  })
}
