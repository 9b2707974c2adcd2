import { checkBigint, checkInt, checkList, checkText, invalidArgument, type Sql } from '@stampede/platform'
import type { StampCard } from '@stampede/proto/programmes/v1'
import { readCampaign } from '../store/coupons/campaigns.ts'
import type { StoredProgramme } from '../store/programmes.ts'
import { checkGoods, checkTexts } from './check-programme.ts'
import { FUNDER_CHARACTERS_MAX, idPattern, POINTS_MAX } from './checks.ts'

const CARDS_MAX = 10
const STORES_MAX = 1_000
const TARGET = { min: 2, max: 1_000 }
const LIVE_DAYS_MAX = 3_650
const id = { min: 1, max: 40, pattern: idPattern }

/** Checks a programme's stamp cards; throws INVALID_ARGUMENT naming the field below `at`. */
export function checkStampCards(list: readonly StampCard[], at: string): void {
  const cards = checkList(list, at, { max: CARDS_MAX })
  const seen = new Set<string>()
  for (const [index, card] of cards.entries()) {
    checkCard(card, `${at}[${index}]`)
    if (seen.has(card.cardId)) throw invalidArgument(`${at}[${index}].card_id`, 'is taken')
    seen.add(card.cardId)
  }
}

function checkCard(card: StampCard, at: string): void {
  checkText(card.cardId, `${at}.card_id`, id)
  checkGoods(card.goods, `${at}.goods`)
  checkTexts(card.stores, `${at}.stores`, STORES_MAX)
  if (card.from !== undefined && card.until !== undefined && card.from >= card.until) {
    throw invalidArgument(`${at}.until`, 'must be after from')
  }
  checkBigint(card.amountMinor, `${at}.amount_minor`, { min: 0n, max: POINTS_MAX })
  checkInt(card.target, `${at}.target`, TARGET)
  checkInt(card.receiptLimit, `${at}.receipt_limit`, { min: 0, max: TARGET.max })
  if (card.rewardCampaignId !== '') checkText(card.rewardCampaignId, `${at}.reward_campaign_id`, id)
  else if (card.amountMinor > 0n) {
    throw invalidArgument(`${at}.reward_campaign_id`, 'is needed where money gives the stamps')
  }
  checkInt(card.liveDays, `${at}.live_days`, { min: 0, max: LIVE_DAYS_MAX })
  checkText(card.funder, `${at}.funder`, { max: FUNDER_CHARACTERS_MAX })
}

/** Checks cards against what the brand has: their coupons, and cards of earlier versions, whose size members know. */
export async function checkCardsInForce(
  tx: Sql,
  brand: string,
  cards: readonly StampCard[],
  versions: readonly StoredProgramme[],
): Promise<void> {
  const known = new Map(versions.flatMap(({ message }) => message.stampCards.map((card) => [card.cardId, card.target])))
  for (const [index, { cardId, target, rewardCampaignId }] of cards.entries()) {
    const at = `programme.stamp_cards[${index}]`
    if ((known.get(cardId) ?? target) !== target) {
      throw invalidArgument(`${at}.target`, 'of a card that is there never changes: begin another card')
    }
    if (rewardCampaignId === '') continue
    const campaign = await readCampaign(tx, brand, rewardCampaignId)
    if (campaign === undefined) throw invalidArgument(`${at}.reward_campaign_id`, 'is no campaign of the brand')
  }
}
