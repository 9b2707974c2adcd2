import type { IncomingMessage } from 'node:http'
import { PKPASS_CONTENT_TYPE } from '@stampede/pkpass'
import type { Context } from '../context.ts'
import { lastModified } from '../domain/version-tag.ts'
import { findPassByOwner, findPassBySerial, type PassRecord } from '../store/passes.ts'
import { type Answer, empty, missing, unauthorized } from './answer.ts'
import { authenticatedPass } from './authenticate.ts'

/** GET or HEAD of a pass by its phone; 304 when the phone has this version. */
export async function getPass(
  context: Context,
  request: IncomingMessage,
  passTypeId: string,
  serial: string,
): Promise<Answer> {
  const access = await authenticatedPass(context, passTypeId, serial, request.headers.authorization)
  if (access === undefined) return unauthorized
  const modified = lastModified(access.createdAt, access)
  const since = Date.parse(request.headers['if-modified-since'] ?? '')
  if (!Number.isNaN(since) && modified.getTime() <= since) {
    return empty(304, { 'Last-Modified': modified.toUTCString() })
  }
  const record = await findPassBySerial(context.database, access.brand, access.serial)
  if (record === undefined) return unauthorized
  return await passAnswer(context, record, request.method !== 'HEAD')
}

/** GET or HEAD of a member's first download; the token is the secret. */
export async function install(context: Context, request: IncomingMessage, token: string): Promise<Answer> {
  const grant = context.secrets.openInstallToken(token)
  if (grant === undefined) return missing
  const record = await findPassByOwner(context.database, grant.brand, grant.memberId)
  // Who is erased or blocked gets no new card; installed ones are told that they are void.
  if (record === undefined || record.state.member.status !== 'active') return missing
  return await passAnswer(context, record, request.method !== 'HEAD')
}

async function passAnswer(context: Context, record: PassRecord, counts: boolean): Promise<Answer> {
  const body = await context.renderer.signed(record)
  const { brand, no, campaignId, changedAt } = record
  return {
    status: 200,
    headers: {
      'Content-Type': PKPASS_CONTENT_TYPE,
      'Content-Disposition': 'attachment; filename="card.pkpass"',
      'Last-Modified': lastModified(record.createdAt, record).toUTCString(),
      'Cache-Control': 'private, no-cache',
    },
    body,
    ...(counts
      ? {
          sent: () => {
            context.fetches.add({ brand, no, campaignId, changedAt })
            context.capacity.answered()
          },
        }
      : {}),
  }
}
