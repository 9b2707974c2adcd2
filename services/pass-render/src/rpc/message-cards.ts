import { createHash } from 'node:crypto'
import {
  bitmapBytes,
  checkIdempotencyKey,
  checkList,
  checkText,
  idempotencyConflict,
  invalidArgument,
  passesPerRow,
  type Sql,
  withBits,
  writeOutbox,
} from '@stampede/platform'
import { CampaignMessage } from '@stampede/proto/events/v1'
import type { MessageCardsRequest, MessageCardsResponse, MessageText } from '@stampede/proto/passes/v1'
import type { Context } from '../context.ts'
import type { BrandView } from '../domain/card.ts'
import { bulkChunks } from '../events.ts'
import { ensureMessage, findRequestDigest, insertBumps } from '../store/bumps.ts'
import { findAddressed } from '../store/own-cards.ts'
import { recipientsOf } from '../store/registrations.ts'
import { checkCardNumber } from '../upsert-cards.ts'
import { checkMessageText } from './message-text.ts'
import { knownBrand } from './upsert-pass.ts'

const MAX_CARDS = 10_000
const MAX_TEXTS = 20
const MAX_LOCALE_CHARS = 35

interface Message {
  readonly messageId: string
  readonly body: Buffer
  readonly requestDigest: Buffer
  readonly numbers: readonly string[]
}

/** Gives a message to the cards with these numbers and wakes their phones. */
export async function messageCards(context: Context, request: MessageCardsRequest): Promise<MessageCardsResponse> {
  const brand = knownBrand(context, request.brand)
  const message = checkMessage(request)
  const answer = await context.database.transaction((tx) => give(context, tx, brand, message))
  context.relay.wake()
  return answer
}

function checkMessage(request: MessageCardsRequest): Message {
  const key = checkIdempotencyKey(request.idempotencyKey)
  const numbers = checkNumbers(request.cardNumbers)
  const body = Buffer.from(CampaignMessage.encode({ texts: checkTexts(request.texts) }).finish())
  const messageId = `cards-${createHash('sha256').update(key).digest('hex').slice(0, 40)}`
  const requestDigest = createHash('sha256').update(body).update(numbers.join(' ')).digest()
  return { messageId, body, requestDigest, numbers }
}

function checkNumbers(numbers: readonly string[]): readonly string[] {
  checkList(numbers, 'card_numbers', { min: 1, max: MAX_CARDS })
  const seen = new Set<string>()
  for (const [index, number] of numbers.entries()) {
    checkCardNumber(number, `card_numbers[${index}]`)
    if (seen.has(number)) throw invalidArgument(`card_numbers[${index}]`, 'is there twice')
    seen.add(number)
  }
  return numbers
}

function checkTexts(texts: readonly MessageText[]): MessageText[] {
  checkList(texts, 'texts', { min: 1, max: MAX_TEXTS })
  return texts.map(({ locale, text }, index) => ({
    locale: checkText(locale, `texts[${index}].locale`, { max: MAX_LOCALE_CHARS, pattern: /^[A-Za-z0-9-]*$/ }),
    text: checkMessageText(text, `texts[${index}].text`),
  }))
}

async function give(context: Context, tx: Sql, brand: BrandView, message: Message): Promise<MessageCardsResponse> {
  const now = context.clock.now()
  const { messageId, body, requestDigest, numbers } = message
  const earlier = await findRequestDigest(tx, brand.brand, messageId)
  if (earlier !== undefined && !earlier.equals(requestDigest)) throw idempotencyConflict()
  const place = await ensureMessage(tx, brand.brand, {
    messageId,
    source: 'cards',
    rank: undefined,
    body,
    requestDigest,
  })
  const addressed = await findAddressed(tx, brand.brand, numbers)
  const known = new Set(addressed.map((item) => item.cardNumber))
  const tellable = addressed.filter((item) => item.isTellable)
  const rows = Map.groupBy(tellable, (item) => item.no - (item.no % BigInt(passesPerRow)))
  const bumps = [...rows].map(([base, items]) => {
    const bits = items.map((item) => Number(item.no - base))
    const bitmap = withBits(new Uint8Array(bitmapBytes), bits)
    const index = Number(base / BigInt(passesPerRow))
    return { messageId, ...place, index, base, bitmap }
  })
  const stored = await insertBumps(tx, brand.brand, bumps, now)
  const nos = tellable.map((item) => item.no)
  const recipients = await recipientsOf(tx, brand.brand, nos)
  // A repeated request finds its rows: nobody is woken twice.
  if (stored.some((bump) => bump.isNew)) await writeOutbox(tx, bulkChunks(brand, messageId, recipients, now))
  return {
    cards: tellable.length,
    unknown: numbers.filter((number) => !known.has(number)),
    silent: addressed.filter((item) => !item.isTellable).map((item) => item.cardNumber),
    devices: recipients.length,
  }
}
