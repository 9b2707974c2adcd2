import { certificatePemOf } from '../apple/certificate.ts'
import type { AppStore } from '../apple/client.ts'
import { publicKeyHash } from '../apple/key.ts'
import type { Context } from '../context.ts'
import { type Brand, brands } from '../crd/brand.ts'
import { brandFinalizer } from '../crd/meta.ts'
import { nameOf, secrets } from '../kernel/index.ts'
import { removeIngresses } from './domain.ts'
import { listKeys, type StoredKey } from './key-secrets.ts'
import { FindingError } from './part.ts'
import { unpublish } from './publish.ts'

/**
 * Does what the deletion policy asks for, then lets the Brand go. Retain leaves everything in place: installed passes
 * go on, and a Brand of the same name takes it all up again. While Apple is away a Brand with Revoke stays; changing its
 * policy to Retain lets it go.
 */
export async function deletionPart(context: Context, brand: Brand): Promise<void> {
  if (brand.spec.deletionPolicy === 'Revoke' && isConfirmed(brand)) await revoke(context, brand)
  else
    context.events.record(brand, {
      type: 'Normal',
      reason: 'Retained',
      action: 'Delete',
      note: 'certificate, keys and published credentials stay',
    })
  await removeFinalizer(context, brand)
}

/** Adds the finalizer before anything outside is made. */
export async function ensureFinalizer(context: Context, brand: Brand): Promise<Brand> {
  const finalizers = brand.metadata.finalizers ?? []
  if (finalizers.includes(brandFinalizer)) return brand
  return patchFinalizers(context, brand, [...finalizers, brandFinalizer])
}

async function removeFinalizer(context: Context, brand: Brand): Promise<void> {
  const finalizers = brand.metadata.finalizers ?? []
  if (!finalizers.includes(brandFinalizer)) return
  const others = finalizers.filter((finalizer) => finalizer !== brandFinalizer)
  await patchFinalizers(context, brand, others)
}

function patchFinalizers(context: Context, brand: Brand, finalizers: readonly string[]): Promise<Brand> {
  const { resourceVersion } = brand.metadata
  return context.store.patch(brands, nameOf(brand), { metadata: { finalizers, resourceVersion } })
}

/** The schema demands it too; but nothing is revoked on the word of one check. */
function isConfirmed({ spec }: Brand): boolean {
  return spec.confirmRevocation === spec.apple.passTypeIdentifier
}

async function revoke(context: Context, brand: Brand): Promise<void> {
  const keys = await listKeys(context, brand)
  if (brand.spec.apple.mode === 'Api') {
    const found = await context.appStores.ofBrand(brand)
    if (!found.ok) throw new FindingError(found.finding)
    await revokeOurs(context, brand, found.appStore, keys)
  } else {
    const note = 'the certificate has to be revoked by hand in the developer portal'
    context.events.record(brand, { type: 'Warning', reason: 'RevokeByHand', action: 'Delete', note })
  }
  await unpublish(context, brand)
  await removeIngresses(context, brand)
  // Last: without the keys nobody could tell which certificates are ours.
  for (const { secret } of keys) await context.store.delete(secrets, nameOf(secret))
}

/** Revokes the certificates of keys that this Brand made; others of the same pass type id are left alone. */
async function revokeOurs(
  context: Context,
  brand: Brand,
  appStore: AppStore,
  keys: readonly StoredKey[],
): Promise<void> {
  const passType = await appStore.findPassType(brand.spec.apple.passTypeIdentifier)
  if (passType === undefined) return
  const ours = new Set(keys.map((key) => key.publicKeyHash))
  for (const { id, content } of await appStore.listCertificates(passType)) {
    const pem = certificatePemOf(Buffer.from(content))
    if (pem === undefined || !ours.has(publicKeyHash(pem))) continue
    await appStore.revokeCertificate(id)
    const note = `certificate ${id} was revoked, as deletionPolicy Revoke asks`
    context.events.record(brand, { type: 'Warning', reason: 'Revoked', action: 'Delete', note })
  }
}
