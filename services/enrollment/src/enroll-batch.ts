import { createSecretKey, randomBytes } from 'node:crypto'
import {
  checkIdempotencyKey,
  checkPresent,
  idempotencyConflict,
  notFound,
  type OutboxMessage,
  type Sql,
  StampedeError,
  unavailable,
  uuidv7,
  writeOutbox,
} from '@stampede/platform'
import { type Member, NewMember } from '@stampede/proto/enrollment/v1'
import { accessBrand, type BrandAccess } from './brand-access.ts'
import type { Context } from './context.ts'
import { type Candidate, type Claim, type Decision, decideEnrolments } from './domain/decide.ts'
import { bodyHash, type IndexKind, indexValue } from './domain/keys.ts'
import { canonicalEmail, checkNewMember } from './domain/new-member.ts'
import { sealPersonal, wrapMemberKey } from './domain/vault.ts'
import { memberEnrolled } from './events.ts'
import { readMembers } from './member-view.ts'
import { takeCardCounters } from './store/brands.ts'
import { insertMembers, type NewMemberRow, occupy, readKnown } from './store/members.ts'

/** Times that a batch is tried again when others took one of its keys or values meanwhile. */
const RACE_ATTEMPTS_MAX = 5
const KEY_BYTES = 32
const KEY_VERSION = 1

/** One enrolment as it came over the wire. */
export interface EnrolmentItem {
  readonly idempotencyKey: string
  readonly member: NewMember | undefined
}

/** What became of one enrolment. */
export type EnrolmentOutcome =
  | { readonly ok: true; readonly member: Member }
  | { readonly ok: false; readonly error: StampedeError }

interface Prepared extends Candidate {
  readonly member: NewMember
}

/** A decision, with the created member where there is one. */
type Result = Decision & { readonly member?: Member }

/** Another transaction occupied a key or value between our look and our insert; the next look sees it. */
class RaceError extends Error {
  override readonly name = 'RaceError'
}

/**
 * Enrolls a batch in one transaction with a constant number of statements. Each item has an outcome of its own, in
 * the order given; items that repeat an earlier request answer with its member. Throws NOT_FOUND for the brand.
 */
export async function enrollBatch(
  context: Context,
  brandSlug: string,
  items: readonly EnrolmentItem[],
): Promise<readonly EnrolmentOutcome[]> {
  const brand = await accessBrand(context, brandSlug)
  const checked = items.map((item, position) => prepare(brand, item, position))
  const prepared = checked.filter((one): one is Prepared => !(one instanceof StampedeError))
  const results = prepared.length === 0 ? new Map<number, Result>() : await store(context, brand, prepared)
  const replayed = await readMembers(context, brandSlug, replayedIds(results))

  const outcomes = checked.map((one, position) => {
    if (one instanceof StampedeError) return { ok: false, error: one } as const
    return toOutcome(results, results.get(position), replayed)
  })
  count(context, brandSlug, results, outcomes)
  return outcomes
}

function prepare(brand: BrandAccess, item: EnrolmentItem, position: number): Prepared | StampedeError {
  try {
    const idempotencyKey = checkIdempotencyKey(item.idempotencyKey)
    const given = checkPresent(item.member, 'member')
    const member = checkNewMember(given)
    const hash = bodyHash(brand.keys, NewMember.encode(given).finish()).toString('hex')
    return { position, idempotencyKey, bodyHash: hash, member, claims: claimsOf(brand, member) }
  } catch (error) {
    if (error instanceof StampedeError) return error
    throw error
  }
}

function claimsOf(brand: BrandAccess, member: NewMember): readonly Claim[] {
  const values: readonly (readonly [IndexKind, string])[] = [
    ['reference', member.reference],
    ['email', canonicalEmail(member.email)],
    ['phone', member.phone],
  ]
  return values
    .filter(([, value]) => value !== '')
    .map(([kind, value]) => ({ kind, value: indexValue(brand.keys, kind, value).toString('hex') }))
}

async function store(
  context: Context,
  brand: BrandAccess,
  prepared: readonly Prepared[],
): Promise<ReadonlyMap<number, Result>> {
  const firstCounter = await takeCardCounters(context.database, brand.brand.brand, prepared.length)
  for (let attempt = 1; attempt <= RACE_ATTEMPTS_MAX; attempt++) {
    try {
      const results = await context.database.transaction((tx) => storeOnce(context, tx, brand, prepared, firstCounter))
      context.wakeRelay()
      return results
    } catch (error) {
      if (!(error instanceof RaceError)) throw error
    }
  }
  throw unavailable('other enrolments with the same values are under way, try again')
}

async function storeOnce(
  context: Context,
  tx: Sql,
  brand: BrandAccess,
  prepared: readonly Prepared[],
  firstCounter: bigint,
): Promise<ReadonlyMap<number, Result>> {
  const slug = brand.brand.brand
  const keys = prepared.map((one) => one.idempotencyKey)
  const known = await readKnown(
    tx,
    slug,
    keys,
    prepared.flatMap((one) => one.claims),
  )
  const decisions = decideEnrolments(prepared, known)

  const fresh = prepared.filter((one) => decisions.get(one.position)?.kind === 'create')
  if (fresh.length === 0) return decisions
  const cardNumbers = takeCardNumbers(brand, firstCounter, fresh.length)
  const now = context.clock.now()
  const created = fresh.map((one, index) =>
    createMember(context, slug, one, firstCounter + BigInt(index), cardNumbers[index] ?? '', now),
  )
  const rows = created.map(({ row }) => row)
  if (!(await occupy(tx, slug, rows))) throw new RaceError()
  await insertMembers(tx, slug, rows)
  await writeOutbox(
    tx,
    created.map(({ message }) => message),
  )
  const members = created.map(({ position, member }): [number, Result] => [position, { kind: 'create', member }])
  return new Map([...decisions, ...members])
}

function takeCardNumbers(brand: BrandAccess, firstCounter: bigint, count: number): readonly string[] {
  const first = Number(firstCounter)
  if (first + count > brand.cards.capacity)
    throw new StampedeError('RESOURCE_EXHAUSTED', 'the brand has no card numbers left', { retryable: false })
  return brand.cards.numbers(Array.from({ length: count }, (_, index) => first + index))
}

interface Created {
  readonly position: number
  readonly row: NewMemberRow
  readonly message: OutboxMessage
  readonly member: Member
}

function createMember(
  context: Context,
  brand: string,
  { member, position, idempotencyKey, bodyHash: hash, claims }: Prepared,
  seq: bigint,
  cardNumber: string,
  now: Date,
): Created {
  const memberId = uuidv7(now.getTime())
  const keyBytes = randomBytes(KEY_BYTES)
  const key = createSecretKey(keyBytes)
  const { locale, marketingConsent, storeId } = member
  const visible = { memberId, cardNumber, status: 'active', locale, marketingConsent, storeId, enrolledAt: now }
  const row: NewMemberRow = {
    ...visible,
    seq,
    keyVersion: KEY_VERSION,
    wrappedKey: wrapMemberKey(context.masterKey, brand, memberId, keyBytes),
    personal: sealPersonal(key, brand, memberId, member),
    idempotencyKey,
    bodyHash: hash,
    claims,
  }
  const message = memberEnrolled(brand, row, key, member.firstName, now)
  return { position, row, message, member: { ...member, ...visible, brand } }
}

function replayedIds(results: ReadonlyMap<number, Result>): readonly string[] {
  return [...results.values()].flatMap((result) => (result.kind === 'replay' ? [result.memberId] : []))
}

function toOutcome(
  results: ReadonlyMap<number, Result>,
  result: Result | undefined,
  replayed: ReadonlyMap<string, Member>,
): EnrolmentOutcome {
  switch (result?.kind) {
    case 'create':
      if (result.member === undefined) break
      return { ok: true, member: result.member }
    case 'replay': {
      const member = replayed.get(result.memberId)
      return member === undefined ? { ok: false, error: notFound() } : { ok: true, member }
    }
    case 'replay-of':
      return toOutcome(results, results.get(result.position), replayed)
    case 'conflict':
      return { ok: false, error: idempotencyConflict() }
    case 'taken': {
      const text = `another member has this ${names[result.by]}`
      return { ok: false, error: new StampedeError('ALREADY_EXISTS', text, { field: `member.${result.by}` }) }
    }
  }
  throw new Error('an enrolment without a decision')
}

const names: Readonly<Record<IndexKind, string>> = {
  reference: 'reference',
  email: 'e-mail address',
  phone: 'phone number',
}

function count(
  { metrics }: Context,
  brand: string,
  results: ReadonlyMap<number, Result>,
  outcomes: readonly EnrolmentOutcome[],
): void {
  const created = [...results.values()].filter((result) => result.kind === 'create').length
  const refused = outcomes.filter((outcome) => !outcome.ok).length
  metrics.countEnrolments(brand, 'created', created)
  metrics.countEnrolments(brand, 'refused', refused)
  metrics.countEnrolments(brand, 'replayed', outcomes.length - created - refused)
}
