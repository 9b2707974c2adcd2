/**
 * Scale 1: the Black Friday of a chain of 6,000 stores with two million cards. Everything else follows by multiplying, so
 * that two runs at one scale are comparable.
 */
export const fullScale = {
  cards: 2_000_000,
  stores: 6_000,
  tillsPerStore: 10,
  /** A receipt per till and so many seconds in the busiest hour. */
  secondsPerReceipt: 30,
  /** New members per store and minute in the busiest hour. */
  enrolsPerStoreAndMinute: 2,
  /** The campaign's phones are back within so many seconds. */
  pullBackSeconds: 1_000,
  /** Ceiling of the brand's campaigns in pushes per second: the phones that come back are no faster. */
  campaignPerSecond: 4_000,
} as const

/** Below these a scenario would measure nothing. */
export const leastSizes = {
  cards: 100,
  receiptsPerSecond: 4,
  enrolsPerSecond: 1,
  visitsPerSecond: 4,
  campaignPerSecond: 20,
} as const

/** Without a campaign the number of cards matters little, and putting them on phones takes longer than the run. */
export const cardsMostWithoutCampaign = 4_000

/** One card in so many belongs to a phone that k6 plays; its member gave no consent to marketing. */
export const ownPhoneEvery = 5

/** Sizes of a run. */
export interface Sizes {
  readonly cards: number
  /** At the peak. */
  readonly receiptsPerSecond: number
  readonly enrolsPerSecond: number
  /** Phones that come back by themselves, at the peak. */
  readonly visitsPerSecond: number
  readonly campaignPerSecond: number
}

/** Sizes at a scale. */
export function sizesOf(scale: number, hasCampaign: boolean): Sizes {
  const { cards, stores, tillsPerStore, secondsPerReceipt, enrolsPerStoreAndMinute, pullBackSeconds } = fullScale
  const atLeast = (least: number, value: number): number => Math.max(least, value * scale)
  const wanted = Math.round(atLeast(leastSizes.cards, cards))
  return {
    cards: Math.min(hasCampaign ? Number.POSITIVE_INFINITY : cardsMostWithoutCampaign, wanted),
    receiptsPerSecond: atLeast(leastSizes.receiptsPerSecond, (stores * tillsPerStore) / secondsPerReceipt),
    enrolsPerSecond: atLeast(leastSizes.enrolsPerSecond, (stores * enrolsPerStoreAndMinute) / 60),
    visitsPerSecond: atLeast(leastSizes.visitsPerSecond, cards / pullBackSeconds),
    campaignPerSecond: Math.round(atLeast(leastSizes.campaignPerSecond, fullScale.campaignPerSecond)),
  }
}

/** The arithmetic in words, one line each. */
export function describeSizing(scale: number, hasCampaign: boolean): readonly string[] {
  const { cards, stores, tillsPerStore, secondsPerReceipt, enrolsPerStoreAndMinute, pullBackSeconds } = fullScale
  const sizes = sizesOf(scale, hasCampaign)
  const figure = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 2 })
  const line = (what: string, arithmetic: string, value: number, least: number): string =>
    `${what}: ${arithmetic} × ${scale} = ${figure(value)}${value === least ? ' (the least)' : ''}`
  return [
    hasCampaign
      ? line('cards', figure(cards), sizes.cards, leastSizes.cards)
      : `cards: ${figure(sizes.cards)}; without a campaign never more than ${figure(cardsMostWithoutCampaign)}`,
    line(
      'receipts per second at the peak',
      `${figure(stores)} stores × ${tillsPerStore} tills ÷ ${secondsPerReceipt} s`,
      sizes.receiptsPerSecond,
      leastSizes.receiptsPerSecond,
    ),
    line(
      'enrolments per second',
      `${figure(stores)} stores × ${enrolsPerStoreAndMinute} ÷ 60 s`,
      sizes.enrolsPerSecond,
      leastSizes.enrolsPerSecond,
    ),
    line(
      'phones that come back per second',
      `${figure(cards)} ÷ ${figure(pullBackSeconds)} s`,
      sizes.visitsPerSecond,
      leastSizes.visitsPerSecond,
    ),
    line(
      'pushes of a campaign per second at most',
      figure(fullScale.campaignPerSecond),
      sizes.campaignPerSecond,
      leastSizes.campaignPerSecond,
    ),
    `phones that k6 plays: one card in ${ownPhoneEvery}, whose member gave no consent; the campaign goes to the others, whose phones are the sandbox's`,
    'every receipt that changes a balance is one more push and one more visit, by a phone of the sandbox',
  ]
}
