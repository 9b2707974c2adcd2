import { createHash } from 'node:crypto'

/** Numbers of a seed that are looked at, at most. */
const STEPS_MAX = 1_000_000
const TWO_64 = 1n << 64n
const BASIS = 10_000n
const PREFIX = 'draw.'
const ID_CHARACTERS = 32

/** What is drawn and who takes part. */
export interface Draw {
  readonly drawId: string
  /** Half open, Unix milliseconds. */
  readonly fromMs: number
  readonly cutOffMs: number
  readonly earnBasisPoints: bigint
  /** Points that make a ticket. */
  readonly threshold: bigint
  /** Most tickets of a member. */
  readonly ticketsMax: bigint
  readonly prizes: readonly Prize[]
  readonly alternates: number
  readonly burn: 'all' | 'entrants'
  readonly handOverDays: number
}

/** What can be won. */
export interface Prize {
  readonly prizeId: string
  readonly valueMinor: bigint
  readonly count: number
}

/** A ticket in the list. */
export interface Ticket {
  readonly ticketId: string
  /** The same for all tickets of a member. */
  readonly holder: string
}

/** What one number of the seed came to. */
export interface DrawStep {
  readonly index: number
  /** 16 hexadecimal digits. */
  readonly x: string
  readonly outcome: 'drawn' | 'same_holder' | 'biased'
  /** Empty for a biased one. */
  readonly ticketId: string
}

/** The currency of a draw's points. */
export function drawCurrency(drawId: string): string {
  return `${PREFIX}${drawId}`
}

/** Whether a currency is a draw's. */
export function isDrawCurrency(currency: string): boolean {
  return currency.startsWith(PREFIX)
}

/** Points for the money that the brand keeps of a sale. */
export function drawPoints(keptMinor: bigint, { earnBasisPoints }: Pick<Draw, 'earnBasisPoints'>): bigint {
  return (keptMinor * earnBasisPoints) / BASIS
}

/** Tickets for so many points. */
export function ticketsFor(points: bigint, { threshold, ticketsMax }: Pick<Draw, 'threshold' | 'ticketsMax'>): bigint {
  const full = points / threshold
  return full < ticketsMax ? full : ticketsMax
}

/** Tickets of a member: whoever does not know the member's id cannot tell whose they are. */
export function ticketsOf(brand: string, drawId: string, memberId: string, count: bigint): readonly Ticket[] {
  const holder = holderOf(brand, drawId, memberId)
  return Array.from({ length: Number(count) }, (_, number) => ({
    ticketId: digest(`${brand}/${drawId}/${memberId}/${number}`).slice(0, ID_CHARACTERS),
    holder,
  }))
}

/** What tells that tickets are one member's, and nothing of the member. */
export function holderOf(brand: string, drawId: string, memberId: string): string {
  return digest(`${brand}/${drawId}/${memberId}`).slice(0, ID_CHARACTERS)
}

/** Tickets in the order of the bytes of their ids. */
export function sortTickets<One extends Pick<Ticket, 'ticketId'>>(tickets: readonly One[]): readonly One[] {
  return tickets.toSorted((left, right) => Buffer.compare(Buffer.from(left.ticketId), Buffer.from(right.ticketId)))
}

/** What is published of the list before the seed is known. */
export function listHashOf(tickets: readonly Pick<Ticket, 'ticketId'>[]): string {
  return digest(tickets.map(({ ticketId }) => ticketId).join('\n'))
}

/** What is published of the secret before the first ticket. */
export function secretHashOf(secret: string): string {
  return digest(secret)
}

/** The seed, once the public value is known. */
export function seedOf(secret: string, publicValue: string): string {
  return `${secret}-${publicValue}`
}

/** Draws up to `wanted` tickets of different holders from a sorted list; every number that was looked at is answered. */
export function drawTickets(tickets: readonly Ticket[], seed: string, wanted: number): readonly DrawStep[] {
  const count = BigInt(tickets.length)
  const open = Math.min(wanted, new Set(tickets.map(({ holder }) => holder)).size)
  const drawn = new Set<string>()
  const steps: DrawStep[] = []
  for (let index = 0; drawn.size < open && index < STEPS_MAX; index += 1) {
    const x = digest(`${seed}:${index}`).slice(0, 16)
    const value = BigInt(`0x${x}`)
    const ticket = value < (TWO_64 / count) * count ? tickets[Number(value % count)] : undefined
    if (ticket === undefined) {
      steps.push({ index, x, outcome: 'biased', ticketId: '' })
      continue
    }
    const { ticketId, holder } = ticket
    steps.push({ index, x, outcome: drawn.has(holder) ? 'same_holder' : 'drawn', ticketId })
    drawn.add(holder)
  }
  return steps
}

/** All that is published of a draw. */
export interface DrawRecord {
  readonly tickets: readonly Ticket[]
  readonly secretHash: string
  readonly listHash: string
  readonly seed: string
  /** Winners and alternates that were asked for. */
  readonly wanted: number
  readonly steps: readonly DrawStep[]
}

/** Does a draw again from what is published of it; says what is wrong with it, undefined when nothing is. */
export function replay(record: DrawRecord): string | undefined {
  const { tickets, secretHash, listHash, seed, wanted, steps } = record
  const ids = tickets.map(({ ticketId }) => ticketId)
  if (sortTickets(tickets).some(({ ticketId }, index) => ticketId !== ids[index])) return 'the list is not sorted'
  if (new Set(ids).size !== ids.length) return 'a ticket is in the list twice'
  if (listHashOf(tickets) !== listHash) return 'the list is not the one that was published'
  const secret = seed.slice(0, Math.max(seed.indexOf('-'), 0))
  if (secretHashOf(secret) !== secretHash) return 'the secret is not the one that was announced'
  const expected = drawTickets(tickets, seed, wanted)
  const length = Math.max(expected.length, steps.length)
  for (let index = 0; index < length; index += 1) {
    if (!isSame(expected[index], steps[index])) return `number ${index} of the seed says otherwise`
  }
  return undefined
}

function isSame(left: DrawStep | undefined, right: DrawStep | undefined): boolean {
  if (left === undefined || right === undefined) return false
  return (
    left.index === right.index &&
    left.x === right.x &&
    left.outcome === right.outcome &&
    left.ticketId === right.ticketId
  )
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
