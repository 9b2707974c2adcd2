import type { IncomingMessage } from 'node:http'
import { writeOutbox } from '@stampede/platform'
import type { Context } from '../context.ts'
import { googleObjectSerial } from '../domain/google/index.ts'
import { type CallbackMessage, nonceDigest, parseCallback, verifyCallback } from '../domain/google-callback/verify.ts'
import { saveHolder, takeNonce } from '../store/google-callbacks.ts'
import { recountOne } from '../store/registrations.ts'
import { type Answer, empty, json } from './answer.ts'
import { installsEvent } from './registrations.ts'
import { readJson } from './request.ts'

/** Largest callback, in bytes; Google's have some two thousand. */
const MAX_CALLBACK_BYTES = 16 * 1024

/** POST of Google: a card was saved or removed. 200 for what was taken, now or before; anything else changes nothing. */
export async function postGoogleCallback(context: Context, request: IncomingMessage, slug: string): Promise<Answer> {
  const brand = context.brands.get(slug)
  if (brand === undefined || brand.googleIssuerId === '') return empty(404)
  const body = await readJson(request, MAX_CALLBACK_BYTES)
  if (!body.ok) return empty(body.status)
  const callback = parseCallback(body.value)
  if (callback === undefined) return json(400, { error: 'the body is no signed callback' })
  const nowMs = context.clock.nowMs()
  const check = async (isStale: boolean) =>
    verifyCallback(callback, await context.googleRootKeys.get(isStale), brand.googleIssuerId, nowMs)
  let verdict = await check(false)
  // Google may have new root keys: asked for once a minute at most.
  if (!verdict.ok && verdict.isUnknownRoot) verdict = await check(true)
  if (!verdict.ok) {
    context.meters.googleCallbacks.inc({ outcome: 'refused' })
    return json(401, { error: verdict.reason })
  }
  const serial = googleObjectSerial(brand, verdict.message.objectId)
  const outcome = serial === undefined ? 'unknown' : await take(context, brand.brand, serial, verdict.message)
  context.meters.googleCallbacks.inc({ outcome })
  // An object that is not ours any more is for us to wonder about, not for Google to send again.
  return empty(200)
}

async function take(
  context: Context,
  brand: string,
  serial: string,
  { nonce, expiresAtMs, event }: CallbackMessage,
): Promise<'taken' | 'repeated' | 'unknown'> {
  const outcome = await context.database.transaction(async (tx) => {
    const now = context.clock.now()
    if (!(await takeNonce(tx, nonceDigest(nonce), new Date(expiresAtMs), now))) return 'repeated'
    const holder = await saveHolder(tx, brand, serial, event === 'save', now)
    if (holder === undefined) return 'unknown'
    if (holder.is_changed) {
      await writeOutbox(tx, [installsEvent(context, brand, await recountOne(tx, brand, holder.no), now)])
    }
    return 'taken'
  })
  context.relay.wake()
  return outcome
}

/** GET /robots.txt: Google calls back only where its crawler may come. */
export function robots(): Answer {
  const body = Buffer.from('User-agent: Googlebot\nAllow: /google/\n\nUser-agent: *\nDisallow: /\n')
  return { status: 200, headers: { 'Content-Type': 'text/plain' }, body: [body] }
}
