import type { Sql } from '@stampede/platform'
import type { Context } from './context.ts'
import { type BrandView, type CardState, emptyAccount, emptyDetails } from './domain/card.ts'
import type { Design } from './domain/design.ts'
import { googleObjectJson } from './domain/google/index.ts'
import { type Publication, publish } from './domain/publication.ts'
import { brandDigest, writeGoogleClass } from './jobs/design-changes.ts'
import { nextDesignSeq, setBrandDigest } from './store/brand-state.ts'
import { savePublication } from './store/publications.ts'
import { startRollout } from './store/rollouts.ts'

/** A stored version and the share of the cards that it goes to. */
export interface NewPublication {
  readonly version: number
  /** Thousandths. */
  readonly permille: number
  readonly design: Design
}

/** Publishes a stored version to a share of a template's cards; the brand must be locked. Answers with what holds now. */
export async function publishVersion(
  context: Context,
  tx: Sql,
  brand: BrandView,
  before: Publication,
  { version, permille, design }: NewPublication,
): Promise<Publication> {
  const { templateId } = before
  const seq = await nextDesignSeq(tx, brand.brand)
  const { publication, affected } = publish(before, version, permille, seq)
  await setBrandDigest(tx, brand.brand, brandDigest(brand))
  await savePublication(tx, brand.brand, publication, context.clock.now())
  // Google's look belongs to the class, which all cards share: it follows the stable version only.
  const isStableNew = publication.stableVersion !== before.stableVersion
  const shown = await context.designs.get(brand.brand, templateId, before.stableVersion)
  const googleObjects = isStableNew && objectsDiffer(brand, shown?.design, design)
  await startRollout(tx, brand.brand, { templateId, seq, buckets: affected, googleObjects })
  if (isStableNew) await writeGoogleClass(context, tx, brand, { design, templateId, version, seq })
  return publication
}

const sample: CardState = {
  kind: 'member',
  member: {
    memberId: '',
    cardNumber: '0',
    status: 'active',
    locale: 'en',
    marketingConsent: true,
    sealedName: undefined,
  },
  account: emptyAccount,
  relevance: { places: [], beacons: [] },
  details: emptyDetails,
}

/** Whether objects, and not only their class, look different under two designs. */
function objectsDiffer(brand: BrandView, before: Design | undefined, after: Design): boolean {
  if (before === undefined) return true
  const json = (design: Design) => googleObjectJson(brand, { design, templateId: '', state: sample, serial: '' })
  return json(before) !== json(after)
}
