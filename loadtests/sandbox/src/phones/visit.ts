import type { SecureContext } from 'node:tls'
import { type Journal, nowMs } from '../journal.ts'
import type { BundleVerifier, VerifiedPass } from '../pass/bundle.ts'
import type { FetchRow, PhoneRow, ShowRow } from '../rows.ts'
import { type Answer, NoAnswerError, PhoneConnection, type Question } from './client.ts'
import { changesOf, type Face, faceOf } from './face.ts'
import type { Keeper } from './keeper.ts'
import type { HeldPass, Phone, PhoneRegistry } from './registry.ts'
import { listQuestion, passQuestion, readList, type Trouble, troubleOf } from './service.ts'

/** MIME type of a pass. */
export const PASS_TYPE = 'application/vnd.apple.pkpass'

/** What phones share. */
export interface PhoneWorld {
  readonly registry: PhoneRegistry
  readonly journal: Journal
  readonly keeper: Keeper
  readonly verifier: BundleVerifier
  /** Trusts the sandbox's web authority only. */
  readonly trust: SecureContext
}

/** Writes a row and lets the registry follow it. `done` runs when a kill cannot lose the row. */
export function record({ registry, journal }: PhoneWorld, row: PhoneRow, done?: () => void): void {
  registry.apply(row)
  journal.append(row, done)
}

/** Asks over a connection; no answer is a trouble worth another try. */
export async function ask(connection: PhoneConnection, question: Question): Promise<Answer | Trouble> {
  try {
    return await connection.ask(question)
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error
    return { reason: `no answer: ${error.message}`, retryable: true }
  }
}

/** Draws a verified pass: keeps it, compares it with what was shown, and writes the row. */
export async function show(
  world: PhoneWorld,
  phone: Phone,
  pass: VerifiedPass,
  before: Face | undefined,
  lastModified: string,
): Promise<void> {
  const { json } = pass
  const images = await world.keeper.keepImages(pass)
  const stored = world.keeper.keepJson(pass)
  const row: ShowRow = {
    at: nowMs(),
    phone: phone.id,
    event: 'show',
    passTypeId: json.passTypeIdentifier,
    token: phone.token,
    serial: json.serialNumber,
    changes: before ? changesOf(before, json) : [],
    fields: faceOf(json),
    lastModified,
    stored,
    images,
  }
  record(world, row)
}

/** Checks an answered bundle as a phone does; a text is what is wrong. */
export function verifyAnswer(world: PhoneWorld, answer: Answer): VerifiedPass | string {
  const type = answer.headers['content-type']?.split(';')[0]
  if (type !== PASS_TYPE) return `content type ${type ?? 'is missing'}`
  const result = world.verifier.verify(answer.body)
  return result.ok ? result : result.reason
}

function checkIdentity(held: HeldPass, { json }: VerifiedPass): string | undefined {
  if (json.passTypeIdentifier !== held.passTypeId || json.serialNumber !== held.serial) return 'another pass was sent'
  return json.authenticationToken === held.authToken ? undefined : 'authenticationToken changed'
}

async function fetchPass(
  world: PhoneWorld,
  phone: Phone,
  held: HeldPass,
  connection: PhoneConnection,
): Promise<Trouble | undefined> {
  const startedAt = nowMs()
  const answer = await ask(connection, passQuestion(held))
  if ('reason' in answer) return answer
  const log = (ok: boolean, reason?: string): void => {
    const row: FetchRow = {
      at: nowMs(),
      phone: phone.id,
      event: 'fetch',
      passTypeId: held.passTypeId,
      token: phone.token,
      serial: held.serial,
      status: answer.status,
      ok,
      ...(reason !== undefined && { reason }),
      bytes: answer.body.length,
      ms: nowMs() - startedAt,
    }
    record(world, row)
  }
  if (answer.status === 304) {
    log(true)
    return undefined
  }
  if (answer.status !== 200) {
    log(false, `status ${answer.status}`)
    return troubleOf('pass', answer, nowMs())
  }
  const pass = verifyAnswer(world, answer)
  const refusal = typeof pass === 'string' ? pass : checkIdentity(held, pass)
  log(refusal === undefined, refusal)
  if (typeof pass === 'string' || refusal !== undefined) return { reason: refusal ?? 'refused', retryable: false }
  await world.keeper.keepBundle(held.serial, answer.body)
  const before = held.shownAt === 0 ? undefined : (JSON.parse(held.shown) as Face)
  await show(world, phone, pass, before, answer.headers['last-modified'] ?? '')
  return undefined
}

/** One visit to the web service for a pass type: list, then each changed pass, over one fresh connection. */
export async function visit(
  world: PhoneWorld,
  phone: Phone,
  passTypeId: string,
  startedAt: number,
): Promise<Trouble | undefined> {
  const first = phone.passes.find((held) => held.passTypeId === passTypeId)
  if (!first) return undefined
  using connection = new PhoneConnection(world.trust)
  const tag = phone.tags[passTypeId]
  const answer = await ask(connection, listQuestion(phone.device, first.webServiceUrl, passTypeId, tag))
  if ('reason' in answer) return answer
  const base = { phone: phone.id, passTypeId, token: phone.token }
  const list = readList(answer, tag, nowMs())
  const ms = nowMs() - startedAt
  const { serials, tag: nextTag } = list.ok ? list : { serials: [], tag: tag ?? '' }
  record(world, { at: nowMs(), event: 'list', ...base, status: answer.status, serials, tag: nextTag, ms })
  if (!list.ok) return list.trouble
  for (const serial of serials) {
    const held = world.registry.pass(phone, passTypeId, serial)
    if (!held) return { reason: `list: names ${serial}, which is not on this phone`, retryable: false }
    const trouble = await fetchPass(world, phone, held, connection)
    if (trouble) return trouble
  }
  record(world, { at: nowMs(), event: 'done', ...base, tag: nextTag, startedAt })
  return undefined
}
