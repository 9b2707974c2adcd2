import type { ModelCampaign, ModelRules } from './model-rules.ts'

/** A line as the till sends it. */
export interface ModelLine {
  readonly sku: string
  readonly category: string
  readonly quantity: bigint
  readonly amountMinor: bigint
}

/** A sold line. */
export interface SoldLine extends ModelLine {
  readonly paid: bigint
  readonly earned: bigint
}

/** Splits a whole by weights: everybody gets the floor, the rest goes one by one to whoever lacks most, first come first. */
export function share(whole: bigint, weights: readonly bigint[]): bigint[] {
  const total = add(weights)
  if (total === 0n) return weights.map(() => 0n)
  const parts = weights.map((weight) => (whole * weight) / total)
  const lacks = weights.map((weight) => (whole * weight) % total)
  for (let left = whole - add(parts); left > 0n; left -= 1n) {
    let neediest = 0
    for (let at = 1; at < lacks.length; at++) if ((lacks[at] ?? -1n) > (lacks[neediest] ?? -1n)) neediest = at
    parts[neediest] = (parts[neediest] ?? 0n) + 1n
    lacks[neediest] = -1n
  }
  return parts
}

/** The lesser of two. */
export function least(one: bigint, other: bigint): bigint {
  if (one < other) return one
  return other
}

/** The sum. */
export function add(values: readonly bigint[]): bigint {
  let sum = 0n
  for (const value of values) sum += value
  return sum
}

/** What a coupon takes off each line. */
export function couponParts(campaign: ModelCampaign, lines: readonly ModelLine[]): bigint[] {
  if (add(lines.map(({ amountMinor }) => amountMinor)) < campaign.leastReceipt) return lines.map(() => 0n)
  const prices = lines.map((line) => (campaign.isBakeryOnly && line.category !== 'bakery' ? 0n : line.amountMinor))
  const total = add(prices)
  const { effect } = campaign
  if ('basisPoints' in effect) return share((total * effect.basisPoints) / 10_000n, prices)
  return share(least(effect.minor, total), prices)
}

/** Most points that pay each line. */
export function payable(rules: ModelRules, lines: readonly ModelLine[]): bigint[] {
  return lines.map(({ category, amountMinor }) => {
    if (rules.hasGoods && category === 'tobacco') return 0n
    return (amountMinor * rules.maxPayBasisPoints) / (10_000n * rules.pointValue)
  })
}

/** Sells lines for so many points: what each is paid with, and what it earns. */
export function soldLines(
  rules: ModelRules,
  lines: readonly ModelLine[],
  { points, hundredths, isOpen }: { readonly points: bigint; readonly hundredths: bigint; readonly isOpen: boolean },
): SoldLine[] {
  const paid = share(points, payable(rules, lines))
  // In parts of a point, so that nothing is rounded before the whole.
  const part = 1_000_000n * rules.pointValue
  const base: bigint[] = []
  const bread: bigint[] = []
  const eggs: bigint[] = []
  for (const [at, { sku, category, quantity, amountMinor }] of lines.entries()) {
    const money = amountMinor - (paid[at] ?? 0n) * rules.pointValue
    const isEarning = isOpen && money > 0n && !(rules.hasGoods && category === 'tobacco')
    const own = isEarning ? money * rules.earnBasisPoints * hundredths : 0n
    base.push(own)
    bread.push(rules.hasGoods && category === 'bakery' ? (own * 3n) / 2n : 0n)
    eggs.push(isEarning && rules.hasGoods && sku === 'egg' ? quantity * 2n * part : 0n)
  }
  const breads = add(bread) > 60n * part ? share(60n * part, bread) : bread
  const weights = base.map((own, at) => own + (breads[at] ?? 0n) + (eggs[at] ?? 0n))
  const whole = add(weights) / part
  const earned = share(rules.earnLimit !== undefined && whole > rules.earnLimit ? rules.earnLimit : whole, weights)
  return lines.map((line, at) => ({ ...line, paid: paid[at] ?? 0n, earned: earned[at] ?? 0n }))
}

/** Money, spent and earned points of what has come back of lines. */
export function returnedShare(rules: ModelRules, lines: readonly SoldLine[], returned: readonly bigint[]) {
  const sums = { money: 0n, paid: 0n, earned: 0n }
  for (const [at, { amountMinor, quantity, paid, earned }] of lines.entries()) {
    const back = returned[at] ?? 0n
    sums.money += ((amountMinor - paid * rules.pointValue) * back) / quantity
    sums.paid += (paid * back) / quantity
    sums.earned += (earned * back) / quantity
  }
  return sums
}
