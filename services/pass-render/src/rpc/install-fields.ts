import type { Context } from '../context.ts'
import { qrSvg } from '../qr.ts'
import type { PassRecord } from '../store/passes.ts'

/** Where a card is installed from, on either phone, and that address as QR. */
export function installFields(
  context: Context,
  record: PassRecord,
): { readonly installUrl: string; readonly installQrSvg: string } {
  const token = context.secrets.installToken({ brand: record.brand, memberId: record.state.member.memberId })
  const installUrl = `${context.webUrl(record.brand)}/add/${token}`
  return { installUrl, installQrSvg: qrSvg(installUrl) }
}
