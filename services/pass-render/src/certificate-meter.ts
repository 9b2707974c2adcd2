import { X509Certificate } from 'node:crypto'
import type { AppleCredential, BrandDirectory, Credentials } from '@stampede/platform'
import type { Meters } from './metrics.ts'

/** Keeps the gauge of when the certificates of all brands end, from the start on and as they are replaced. */
export function meterCertificates(brands: BrandDirectory, credentials: Credentials, meters: Meters): void {
  const measure = (brand: string): void => {
    const credential = credentials.apple(brand)
    if (credential === undefined) meters.certificateEnd.remove({ brand })
    else meters.certificateEnd.set({ brand }, endOf(credential).getTime() / 1_000)
  }
  credentials.onChange(measure)
  brands.onChange(measure)
  for (const { brand } of brands.list()) measure(brand)
}

/** When an Apple certificate ends; the platform has parsed it already. */
export function endOf({ certPem }: AppleCredential): Date {
  return new X509Certificate(certPem).validToDate
}
