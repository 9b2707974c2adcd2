import { createHash, randomBytes } from 'node:crypto'
import { nowMs } from '../journal.ts'
import type { VerifiedPass } from '../pass/bundle.ts'
import { type Answer, PhoneConnection } from './client.ts'
import type { HeldPass, Phone } from './registry.ts'
import { registerQuestion, troubleOf, unregisterQuestion } from './service.ts'
import { ask, type PhoneWorld, record, show, verifyAnswer } from './visit.ts'

/** A pass to install. */
export interface InstallRequest {
  /** https URL of the .pkpass. */
  readonly url: string
  /** Name of the phone; default one phone per URL. The same name and pass again replaces the pass. */
  readonly phone?: string
}

const TOKEN_BYTES = 32
const DEVICE_BYTES = 16
/** Tries of each request of an installation: the person taps once, the phone is patient. */
const TRIES_MAX = 5
const TRY_WAIT_MS = 300

function phoneIdOf({ url, phone }: InstallRequest): string {
  return phone ?? createHash('sha256').update(url).digest('hex').slice(0, 16)
}

async function insist(
  attempt: () => Promise<Answer | { readonly reason: string; readonly retryable: boolean }>,
): Promise<Answer | string> {
  let reason = ''
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    if (tries > 0) await new Promise((resolve) => setTimeout(resolve, TRY_WAIT_MS * 2 ** (tries - 1)))
    const answer = await attempt()
    if ('status' in answer && answer.status < 500 && answer.status !== 429) return answer
    reason = 'status' in answer ? troubleOf('install', answer, nowMs()).reason : answer.reason
  }
  return reason
}

async function download(
  world: PhoneWorld,
  url: string,
  connection: PhoneConnection,
): Promise<{ answer: Answer; pass: VerifiedPass } | string> {
  const answer = await insist(() => ask(connection, { method: 'GET', url }))
  if (typeof answer === 'string') return answer
  if (answer.status !== 200) return troubleOf('download', answer, nowMs()).reason
  const pass = verifyAnswer(world, answer)
  return typeof pass === 'string' ? pass : { answer, pass }
}

/** Installs a pass: download, verify, register, show. Resolves to what went wrong, once the journal holds the rest. */
export async function install(world: PhoneWorld, request: InstallRequest): Promise<string | undefined> {
  if (!URL.canParse(request.url) || new URL(request.url).protocol !== 'https:') return 'the URL is not https'
  const id = phoneIdOf(request)
  const known = world.registry.get(id)
  if (known?.passes.some(({ url, shownAt }) => url === request.url && shownAt > 0)) return undefined
  using connection = new PhoneConnection(world.trust)
  const downloaded = await download(world, request.url, connection)
  if (typeof downloaded === 'string') return downloaded
  const { answer, pass } = downloaded
  const { webServiceURL, authenticationToken, serialNumber, passTypeIdentifier } = pass.json
  if (webServiceURL === undefined || authenticationToken === undefined)
    return 'the pass has no web service: it could never be updated'
  const phone = {
    id,
    device: known?.device ?? randomBytes(DEVICE_BYTES).toString('hex'),
    token: known?.token ?? randomBytes(TOKEN_BYTES).toString('hex'),
  }
  const place = {
    webServiceUrl: webServiceURL,
    authToken: authenticationToken,
    serial: serialNumber,
    passTypeId: passTypeIdentifier,
  }
  const lastModified = answer.headers['last-modified'] ?? ''
  // The token must be known to APNs before the server learns it: a push may be faster than the answer.
  const base = { phone: id, passTypeId: passTypeIdentifier, token: phone.token }
  record(world, {
    at: nowMs(),
    event: 'install',
    ...base,
    ...place,
    device: phone.device,
    url: request.url,
  })
  const installed = world.registry.get(id)
  if (!installed) throw new Error('the registry lost a phone')
  const registered = await insist(() => ask(connection, registerQuestion(phone, place)))
  const refusal = typeof registered === 'string' ? registered : registrationRefusal(registered)
  if (refusal !== undefined) {
    record(world, { at: nowMs(), event: 'fail', ...base, serial: serialNumber, reason: refusal, final: true })
    record(world, { at: nowMs(), event: 'remove', ...base, serial: serialNumber, silently: true })
    return refusal
  }
  await world.keeper.keepBundle(serialNumber, answer.body)
  await show(world, installed, pass, undefined, lastModified)
  await world.journal.flush()
  return undefined
}

function registrationRefusal({ status }: Answer): string | undefined {
  return status === 200 || status === 201 ? undefined : `registration: status ${status}`
}

/** Deletes a pass from a phone, telling the web service unless it is done silently. */
export async function remove(
  world: PhoneWorld,
  phone: Phone,
  held: HeldPass,
  silently: boolean,
): Promise<string | undefined> {
  const { serial, passTypeId } = held
  const base = { phone: phone.id, passTypeId, token: phone.token }
  let refusal: string | undefined
  if (!silently) {
    using connection = new PhoneConnection(world.trust)
    const answer = await insist(() => ask(connection, unregisterQuestion(phone, held)))
    if (typeof answer === 'string') refusal = answer
    else if (answer.status !== 200) refusal = `unregistration: status ${answer.status}`
  }
  if (refusal !== undefined)
    record(world, { at: nowMs(), event: 'fail', ...base, serial, reason: refusal, final: true })
  await new Promise<void>((resolve) => {
    record(world, { at: nowMs(), event: 'remove', ...base, serial, silently }, resolve)
  })
  return refusal
}
