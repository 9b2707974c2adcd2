import type { IncomingMessage } from 'node:http'
import { writeOutbox } from '@stampede/platform'
import type { Context } from '../context.ts'
import { answerList } from '../domain/version-tag.ts'
import { passEvent } from '../events.ts'
import { type InstallsChange, register, unregister } from '../store/registrations.ts'
import { type Answer, empty, json, tooMany, unauthorized } from './answer.ts'
import { authenticatedPass, claimOf } from './authenticate.ts'
import { noteList } from './listed.ts'
import { MAX_REGISTRATION_BYTES, queryParameter, readJson } from './request.ts'

const MAX_DEVICE_ID_CHARS = 128
const MAX_PUSH_TOKEN_BYTES = 256

/** Where a registration is. */
export interface RegistrationPath {
  readonly deviceLibraryId: string
  readonly passTypeId: string
  readonly serial: string
}

function validDeviceId(id: string): boolean {
  return id.length > 0 && id.length <= MAX_DEVICE_ID_CHARS && /^[\x21-\x7e]+$/.test(id)
}

/** POST: the phone wants to be woken for the pass. 201 when that is new, 200 when only the token may be. */
export async function postRegistration(
  context: Context,
  request: IncomingMessage,
  path: RegistrationPath,
): Promise<Answer> {
  const claim = claimOf(context, path.passTypeId, path.serial, request.headers.authorization)
  const record = await authenticatedPass(context, claim)
  if (claim === undefined || record === undefined) return unauthorized
  const body = await readJson(request, MAX_REGISTRATION_BYTES)
  if (!body.ok) return empty(body.status)
  const pushToken = parsePushToken(body.value)
  if (pushToken === undefined || !validDeviceId(path.deviceLibraryId)) return empty(400)
  const wish = { no: record.no, deviceLibraryId: path.deviceLibraryId, pushToken }
  const result = await context.database.transaction(async (tx) => {
    const now = context.clock.now()
    const registered = await register(tx, claim.brand, wish, now)
    if (registered.created) await writeOutbox(tx, [installsEvent(context, claim.brand, registered.change, now)])
    return registered
  })
  if (result.created) context.relay.wake()
  return empty(result.created ? 201 : 200)
}

/** DELETE: the phone has removed the pass. */
export async function deleteRegistration(
  context: Context,
  request: IncomingMessage,
  path: RegistrationPath,
): Promise<Answer> {
  const claim = claimOf(context, path.passTypeId, path.serial, request.headers.authorization)
  const record = await authenticatedPass(context, claim)
  if (claim === undefined || record === undefined) return unauthorized
  const change = await context.database.transaction(async (tx) => {
    const now = context.clock.now()
    const gone = await unregister(tx, claim.brand, record.no, path.deviceLibraryId)
    if (gone !== undefined) await writeOutbox(tx, [installsEvent(context, claim.brand, gone, now)])
    return gone
  })
  if (change !== undefined) context.relay.wake()
  return empty(200)
}

/** GET: the serials of this device that show something else than the phone's tag says. The device id is the secret. */
export async function listUpdated(
  context: Context,
  request: IncomingMessage,
  path: Omit<RegistrationPath, 'serial'>,
): Promise<Answer> {
  const brand = context.passTypes.brandOf(path.passTypeId)?.brand
  const { deviceLibraryId } = path
  // Nobody is told whether a pass type or a device exists.
  if (brand === undefined || !validDeviceId(deviceLibraryId)) return empty(204)
  if (!context.limits.lists.allows(`${brand}/${deviceLibraryId}`, performance.now())) return tooMany()
  const passes = await context.phoneReads.passesOfDevice({ brand, deviceLibraryId })
  const { serials, tag } = answerList(passes, queryParameter(request.url ?? '', 'passesUpdatedSince') ?? '')
  if (serials.length === 0) return empty(204)
  noteList(request.socket, { brand, deviceLibraryId, serials })
  return json(200, { serialNumbers: serials, lastUpdated: tag })
}

/** Where a pass is installed now. */
export function installsEvent(context: Context, brand: string, { eventVersion, ...change }: InstallsChange, now: Date) {
  const googleObject = (context.brands.get(brand)?.googleIssuerId ?? '') !== ''
  return passEvent(brand, { ...change, googleObject }, eventVersion, now)
}

function parsePushToken(body: unknown): Buffer | undefined {
  if (typeof body !== 'object' || body === null || !('pushToken' in body)) return undefined
  const token = body.pushToken
  if (typeof token !== 'string' || !/^(?:[0-9a-fA-F]{2})+$/.test(token)) return undefined
  return token.length / 2 > MAX_PUSH_TOKEN_BYTES ? undefined : Buffer.from(token, 'hex')
}
