import { createHash } from 'node:crypto'
import { type BrandInfo, type Sql, writeOutbox } from '@stampede/platform'
import type { Context } from '../context.ts'
import { type BrandView, DEFAULT_TEMPLATE_ID } from '../domain/card.ts'
import type { Design } from '../domain/design.ts'
import { googleClassId, googleClassJson, passTypeOf } from '../domain/google/index.ts'
import { ALL_PERMILLE } from '../domain/publication.ts'
import { googleWork } from '../events.ts'
import { findBrandState, lockBrandState, nextDesignSeq, setBrandDigest } from '../store/brand-state.ts'
import { findPublications, raisePublications } from '../store/publications.ts'
import { startRollout } from '../store/rollouts.ts'

/** Digest of what cards show of their brand. */
export function brandDigest(brand: BrandView): string {
  const { name, contact, currency, timeZone, passTypeId, teamId, googleIssuerId } = brand
  const shown = [name, contact, currency, timeZone, passTypeId, teamId, googleIssuerId]
  return createHash('sha256').update(JSON.stringify(shown)).digest('base64')
}

/** A design as it is published. */
export interface PublishedDesign {
  readonly design: Design
  readonly templateId: string
  readonly version: number
  readonly seq: bigint
}

/** Desired state of Google's class under a design version. */
export async function writeGoogleClass(
  context: Context,
  tx: Sql,
  brand: BrandView,
  { design, templateId, version, seq }: PublishedDesign,
): Promise<void> {
  if (brand.googleIssuerId === '') return
  const logoUrl = `${context.webUrl(brand.brand)}/designs/${brand.brand}/${templateId}/${version}/logo.png`
  const callbackUrl = `${context.webUrl(brand.brand)}/google/callback/${brand.brand}`
  const passType = passTypeOf(design.style)
  // The one class of all store cards looks as the members' own template.
  if (passType === 'loyalty' && templateId !== DEFAULT_TEMPLATE_ID && (await hasDefault(tx, brand.brand))) return
  const { nfc: allowsNfc } = await context.signers.state(brand)
  const json = googleClassJson(brand, design, { templateId, logoUrl, callbackUrl, allowsNfc })
  const resourceId = googleClassId(brand, { templateId, passType })
  const work = googleWork(brand, { kind: `${passType}Class`, resourceId, version: seq, json }, context.clock.now())
  await writeOutbox(tx, [work])
}

async function hasDefault(tx: Sql, brand: string): Promise<boolean> {
  const [publication] = await findPublications(tx, brand, [DEFAULT_TEMPLATE_ID])
  return publication !== undefined && publication.stableVersion > 0
}

/** Makes a new design version when what cards show of the brand has changed. Replicas may all do it; one does. */
export async function followBrand(context: Context, brand: BrandInfo): Promise<void> {
  const digest = brandDigest(brand)
  const known = await findBrandState(context.database, brand.brand)
  if (known === undefined || known.brand_digest === digest) return
  await context.database.transaction(async (tx) => {
    const now = context.clock.now()
    const state = await lockBrandState(tx, brand.brand)
    if (state.brand_digest === digest) return
    await setBrandDigest(tx, brand.brand, digest)
    const publications = await findPublications(tx, brand.brand)
    // Nothing is installed yet that could show another one.
    if (publications.length === 0) return
    const seq = await nextDesignSeq(tx, brand.brand)
    await raisePublications(tx, brand.brand, seq, now)
    // An issuer may have been added or exchanged: its objects then have to be made.
    await startRollout(tx, brand.brand, {
      templateId: '',
      seq,
      buckets: { from: 0, end: ALL_PERMILLE },
      googleObjects: true,
    })
    for (const { templateId, stableVersion } of publications) {
      const ready = await context.designs.get(brand.brand, templateId, stableVersion)
      if (ready === undefined) continue
      await writeGoogleClass(context, tx, brand, { design: ready.design, templateId, version: stableVersion, seq })
    }
  })
  context.relay.wake()
}
