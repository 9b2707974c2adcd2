import type { IncomingMessage } from 'node:http'
import { PKPASS_CONTENT_TYPE } from '@stampede/pkpass'
import type { Context } from '../context.ts'
import { changeCount, lastModified } from '../domain/version-tag.ts'
import { findPassByOwner, type PassRecord } from '../store/passes.ts'
import { type Answer, empty, missing, unauthorized } from './answer.ts'
import { authenticatedPass, type Claim, claimOf, isProven } from './authenticate.ts'
import { deviceThatAskedFor } from './listed.ts'

/** GET or HEAD of a pass by its phone; 304 when the phone has this version. */
export async function getPass(
  context: Context,
  request: IncomingMessage,
  passTypeId: string,
  serial: string,
): Promise<Answer> {
  const claim = claimOf(context, passTypeId, serial, request.headers.authorization)
  if (claim === undefined) return unauthorized
  const since = Date.parse(request.headers['if-modified-since'] ?? '')
  if (!Number.isNaN(since)) {
    const notNewer = await answerNotNewer(context, claim, since)
    if (notNewer !== undefined) return notNewer
  }
  const record = await context.phoneReads.pass(claim)
  if (record === undefined || !isProven(context, claim, record.authToken)) return unauthorized
  const shown = { record, token: claim.token }
  return await passAnswer(context, request, shown, () => noteFetch(context, request, record))
}

/** 304 or 401 from as little as they need; undefined when the phone shall get the pass. */
async function answerNotNewer(context: Context, claim: Claim, sinceMs: number): Promise<Answer | undefined> {
  const access = await authenticatedPass(context, claim)
  if (access === undefined) return unauthorized
  const modified = lastModified(access.createdAt, access)
  return modified.getTime() > sinceMs ? undefined : empty(304, { 'Last-Modified': modified.toUTCString() })
}

/** GET or HEAD of a member's first download; the token is the secret. */
export async function install(context: Context, request: IncomingMessage, token: string): Promise<Answer> {
  const grant = context.secrets.openInstallToken(token)
  if (grant === undefined) return missing
  const record = await findPassByOwner(context.database, grant.brand, grant.memberId)
  // Who is erased or blocked gets no new card; installed ones are told that they are void.
  if (record === undefined || record.state.member.status !== 'active') return missing
  const shown = { record, token: context.secrets.openAuthToken(record.authToken, record.brand, record.serial) }
  return await passAnswer(context, request, shown, () => noteInstall(context, record))
}

async function passAnswer(
  context: Context,
  request: IncomingMessage,
  { record, token }: { readonly record: PassRecord; readonly token: string },
  sent: () => void,
): Promise<Answer> {
  const body = await context.renderer.signed(record, token, () => !request.socket.destroyed)
  return {
    status: 200,
    headers: {
      'Content-Type': PKPASS_CONTENT_TYPE,
      'Content-Disposition': 'attachment; filename="card.pkpass"',
      'Last-Modified': lastModified(record.createdAt, record).toUTCString(),
      'Cache-Control': 'private, no-cache',
    },
    body,
    ...(request.method === 'HEAD' ? {} : { sent }),
  }
}

function noteFetch(context: Context, request: IncomingMessage, record: PassRecord): void {
  const deviceLibraryId = deviceThatAskedFor(request.socket, record)
  context.fetches.add({ ...fetchOf(record), pushedAt: record.pushedAt, deviceLibraryId })
}

/** Nobody was woken for an installation, and the phone has not said yet who it is. */
function noteInstall(context: Context, record: PassRecord): void {
  context.fetches.add({ ...fetchOf(record), pushedAt: undefined, deviceLibraryId: undefined })
}

function fetchOf(record: PassRecord) {
  const { brand, no, devices, campaignId, changedAt, causedAt } = record
  return { brand, no, devices, campaignId, changedAt, causedAt, version: changeCount(record) }
}
