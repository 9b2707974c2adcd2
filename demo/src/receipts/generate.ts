import { demoArticles, demoStores, firstNames, lastNames } from './catalogue.ts'
import type { Customer, PurchaseHistory, Return, Sale, SaleLine } from './model.ts'
import { type Random, seededRandom } from './random.ts'

/** What to generate. */
export interface GenerateOptions {
  readonly seed: number
  readonly members: number
  /** Last instant of the history, Unix milliseconds. */
  readonly endMs: number
}

const dayMs = 86_400_000
const historyDays = 360
const share = { prospects: 0.03, returns: 0.04, payByPoints: 0.12 } as const

/**
 * Purchases of a year: each member buys at an own pace until lost interest, as the usual models of
 * repeat buying have it (exponential gaps, an own rate and an own life per member).
 */
export function generateHistory({ seed, members, endMs }: GenerateOptions): PurchaseHistory {
  const made = Array.from({ length: members }, (_, index) => generateMember(index, seededRandom(seed, index), endMs))
  const sales = made.flatMap(({ sales: own }) => own).sort((a, b) => a.occurredAt.getTime() - b.occurredAt.getTime())
  const indexOf = new Map(sales.map((sale, index) => [sale, index]))
  const returns = made
    .flatMap(({ returned }) => returned)
    .map((sale): Return => toReturn(sale, indexOf.get(sale) ?? 0, endMs))
  const lines = sales.reduce((sum, sale) => sum + sale.lines.length, 0)
  const totals = {
    linesRead: lines,
    receipts: sales.length,
    customers: members,
    customersNamed: members,
    revenueMinor: sales.reduce((sum, sale) => sum + sale.lines.reduce((all, line) => all + line.amountMinor, 0n), 0n),
    cancellationsMatched: returns.length,
    cancellationsUnmatched: 0,
    freeLines: 0,
  }
  return { customers: made.map(({ customer }) => customer), sales, returns, rejected: [], totals }
}

interface GeneratedMember {
  readonly customer: Customer
  readonly sales: readonly Sale[]
  readonly returned: readonly Sale[]
}

function generateMember(index: number, random: Random, endMs: number): GeneratedMember {
  const store = random.pick(demoStores)
  const customer: Customer = {
    reference: `crm-${String(index + 1).padStart(7, '0')}`,
    firstName: random.pick(firstNames),
    lastName: random.pick(lastNames),
    locale: 'en-GB',
    storeId: store.storeId,
  }
  if (random.next() < share.prospects) return { customer, sales: [], returned: [] }
  const joinedDay = random.next() ** 0.6 * (historyDays - 5)
  const meanGapDays = 6 + random.exponential(38)
  const lifeDays = 10 + random.exponential(260)
  const sales: Sale[] = []
  for (
    let day = joinedDay;
    day < historyDays && day - joinedDay < lifeDays;
    day += 0.3 + random.exponential(meanGapDays)
  ) {
    sales.push(generateSale(customer, sales.length, day, random, endMs))
  }
  const returned = sales.filter(
    (sale) => random.next() < share.returns && sale.occurredAt.getTime() < endMs - 3 * dayMs,
  )
  return { customer, sales, returned }
}

function generateSale(customer: Customer, index: number, day: number, random: Random, endMs: number): Sale {
  const atHome = random.next() < 0.85
  const openMs = 9 * 3_600_000 + random.integer(0, 9 * 3_600_000 - 1)
  const startOfDay = Math.floor((endMs - (historyDays - Math.floor(day)) * dayMs) / dayMs) * dayMs
  return {
    kind: 'sale',
    number: `${customer.reference}-${index + 1}`,
    customer: customer.reference,
    storeId: atHome ? customer.storeId : random.pick(demoStores).storeId,
    occurredAt: new Date(Math.min(startOfDay + openMs, endMs - 1000)),
    lines: Array.from({ length: 1 + Math.min(7, Math.floor(random.exponential(1.8))) }, () => generateLine(random)),
    payByPointsPercent: random.next() < share.payByPoints ? 50 : 0,
  }
}

function generateLine(random: Random): SaleLine {
  const { sku, category, priceMinor } = random.pick(demoArticles)
  const quantity = random.next() < 0.8 ? 1 : random.integer(2, 4)
  return { sku, category, quantity, amountMinor: priceMinor * BigInt(quantity) }
}

function toReturn(sale: Sale, saleIndex: number, endMs: number): Return {
  return {
    kind: 'return',
    returnId: `return-${sale.number}`,
    customer: sale.customer,
    occurredAt: new Date(Math.min(sale.occurredAt.getTime() + 2 * dayMs, endMs)),
    saleIndex,
    lines: [{ lineIndex: 0, quantity: 1 }],
  }
}
