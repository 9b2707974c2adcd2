import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { ChannelLink } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import { type BrandView, emptyDetails } from '../domain/card.ts'
import { findChannelLink, takeOfLink } from '../store/channel-links.ts'
import { findPassByOwner } from '../store/passes.ts'
import { upsertCards } from '../upsert-cards.ts'
import { type Answer, empty, missing, RETRY_AFTER_SECONDS } from './answer.ts'
import { redirect } from './install-page.ts'

const DAY_MS = 24 * 3_600_000
/** How long a visitor's browser remembers its pass, in seconds. */
const COOKIE_SECONDS = 365 * 24 * 3_600
/** Bytes behind a coupon's code: 80 bits nobody guesses. */
const CODE_BYTES = 10
/** Letters and digits that nobody takes for one another (Crockford's base 32). */
const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Passes that one replica hands out by one link within a second. */
const MAX_PER_SECOND = 200

/** GET of a channel link: each visitor gets a pass of its own, and the same one again when it comes back. */
export async function visitChannel(
  context: Context,
  request: IncomingMessage,
  slug: string,
  linkId: string,
): Promise<Answer> {
  const brand = context.brands.get(slug)
  const row = brand === undefined ? undefined : await findChannelLink(context.database, slug, linkId)
  if (brand === undefined || row === undefined) return missing
  const cookie = `pass-${linkId}`
  const known = cookieOf(request, cookie)
  if (known !== undefined && (await isOfBrand(context, slug, known)))
    return redirect(`${context.webUrl(slug)}/add/${known}`)
  const { link } = row
  const now = context.clock.now()
  if (link.expiresAt !== undefined && link.expiresAt <= now) return empty(410)
  if (!mayIssue(`${slug}/${linkId}`, now)) return empty(429, { 'Retry-After': String(RETRY_AFTER_SECONDS) })
  const ownerId = await issue(context, brand, link, now)
  if (ownerId === undefined) return empty(410)
  const token = context.secrets.installToken({ brand: slug, memberId: ownerId })
  const attributes = `Path=/c/${slug}/${linkId}; Max-Age=${COOKIE_SECONDS}; Secure; HttpOnly; SameSite=Lax`
  return redirect(`${context.webUrl(slug)}/add/${token}`, { 'Set-Cookie': `${cookie}=${token}; ${attributes}` })
}

async function isOfBrand(context: Context, brand: string, token: string): Promise<boolean> {
  const grant = context.secrets.openInstallToken(token)
  if (grant?.brand !== brand) return false
  return (await findPassByOwner(context.database, brand, grant.memberId)) !== undefined
}

/** Hands out the next pass of a link; undefined when it has none left. */
async function issue(context: Context, brand: BrandView, link: ChannelLink, now: Date): Promise<string | undefined> {
  const taken = await context.database.transaction((tx) => takeOfLink(tx, brand.brand, link.linkId, link.maxPasses))
  if (!taken) return undefined
  const validUntil = link.validDays === 0 ? undefined : new Date(now.getTime() + link.validDays * DAY_MS)
  const [outcome] = await upsertCards(context, brand, [
    {
      kind: 'coupon',
      cardNumber: randomCode(),
      templateId: link.templateId,
      details: { ...emptyDetails, channel: link.channel, validUntil },
      points: 0n,
      locale: '',
      message: undefined,
      version: 1n,
      // Nobody knows whose it is, so nobody has agreed to anything.
      marketingConsent: false,
    },
  ])
  if (outcome === undefined) return undefined
  if (!outcome.ok) throw outcome.error
  return outcome.ownerId
}

function randomCode(): string {
  let bits = BigInt(`0x${randomBytes(CODE_BYTES).toString('hex')}`)
  let code = ''
  for (let place = 0; place < (CODE_BYTES * 8) / 5; place++) {
    code += letters[Number(bits & 31n)]
    bits >>= 5n
  }
  return code
}

function cookieOf({ headers }: IncomingMessage, name: string): string | undefined {
  const found = headers.cookie?.split(/;\s*/).find((item) => item.startsWith(`${name}=`))
  return found?.slice(name.length + 1)
}

const issuedBySecond = new Map<string, number>()
let countedSecond = 0

/** Whether another pass may be handed out by this replica within the present second. */
function mayIssue(link: string, now: Date): boolean {
  const second = Math.floor(now.getTime() / 1000)
  if (second !== countedSecond) issuedBySecond.clear()
  countedSecond = second
  const count = (issuedBySecond.get(link) ?? 0) + 1
  issuedBySecond.set(link, count)
  return count <= MAX_PER_SECOND
}
