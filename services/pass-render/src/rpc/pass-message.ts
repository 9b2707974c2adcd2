import type { Pass } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import type { BrandView } from '../domain/card.ts'
import { googleObjectId } from '../domain/google/index.ts'
import { googleSaveUrl, googleTemplateOf } from '../google-save.ts'
import type { PassRecord } from '../store/passes.ts'

/** A pass as callers see it. */
export async function passMessage(context: Context, brand: BrandView, record: PassRecord): Promise<Pass> {
  const { kind, member } = record.state
  const { memberId, cardNumber } = member
  const template = await googleTemplateOf(context.designs, record)
  const token = context.secrets.installToken({ brand: record.brand, memberId })
  return {
    memberId: kind === 'member' ? memberId : '',
    serial: record.serial,
    no: record.no,
    cardNumber,
    appleUrl: `${context.webUrl(record.brand)}/i/${token}`,
    googleSaveUrl: await googleSaveUrl(context.credentials, brand, template, record),
    googleObjectId: brand.googleIssuerId === '' ? '' : googleObjectId(brand, template, record.serial),
    devices: record.devices,
    version: record.version + record.messageSeq + record.designVersion,
    templateId: record.templateId,
    googleSaved: record.isGoogleSaved,
  }
}
