import { createHash } from 'node:crypto'
import { type BrandInfo, type Sql, writeOutbox } from '@stampede/platform'
import type { Context } from '../context.ts'
import type { BrandView } from '../domain/card.ts'
import type { Design } from '../domain/design.ts'
import { googleClassId, googleClassJson } from '../domain/google.ts'
import { googleWork } from '../events.ts'
import { findBrandState, lockBrandState, raiseDesign, setBrandDigest } from '../store/brand-state.ts'

/** Digest of what cards show of their brand. */
export function brandDigest(brand: BrandView): string {
  const { name, contact, currency, timeZone, passTypeId, teamId, googleIssuerId } = brand
  const shown = [name, contact, currency, timeZone, passTypeId, teamId, googleIssuerId]
  return createHash('sha256').update(JSON.stringify(shown)).digest('base64')
}

/** A design as it is published. */
export interface PublishedDesign {
  readonly design: Design
  readonly templateVersion: number
  readonly designVersion: bigint
}

/** Desired state of Google's class under a design version. */
export async function writeGoogleClass(
  context: Context,
  tx: Sql,
  brand: BrandView,
  { design, templateVersion, designVersion }: PublishedDesign,
): Promise<void> {
  if (brand.googleIssuerId === '') return
  const logoUrl = `${context.webUrl()}/designs/${brand.brand}/${templateVersion}/logo.png`
  const json = googleClassJson(brand, design, logoUrl)
  const resourceId = googleClassId(brand)
  const work = googleWork(
    brand,
    { kind: 'loyaltyClass', resourceId, version: designVersion, json },
    context.clock.now(),
  )
  await writeOutbox(tx, [work])
}

/** Makes a new design version when what cards show of the brand has changed. Replicas may all do it; one does. */
export async function followBrand(context: Context, brand: BrandInfo): Promise<void> {
  const digest = brandDigest(brand)
  const known = await findBrandState(context.database, brand.brand)
  if (known === undefined || known.brand_digest === digest) return
  await context.database.transaction(async (tx) => {
    const now = context.clock.now()
    const state = await lockBrandState(tx, brand.brand, now)
    if (state.brand_digest === digest) return
    if (state.template_version === 0) return await setBrandDigest(tx, brand.brand, digest)
    const templateVersion = state.template_version
    // An issuer may have been added or exchanged: its objects then have to be made.
    const change = { templateVersion, brandDigest: digest, googleObjects: true }
    const designVersion = await raiseDesign(tx, brand.brand, change, now)
    const ready = await context.designs.get(brand.brand, templateVersion)
    if (ready !== undefined) {
      await writeGoogleClass(context, tx, brand, { design: ready.design, templateVersion, designVersion })
    }
  })
  context.relay.wake()
}
