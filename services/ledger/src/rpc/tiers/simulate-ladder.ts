import { checkPresent } from '@stampede/platform'
import type { SimulateLadderRequest, SimulateLadderResponse } from '@stampede/proto/tiers/v1'
import type { LedgerContext } from '../../context.ts'
import type { TierFacts } from '../../domain/tiers/evaluate.ts'
import { type LadderSimulation, simulateLadder } from '../../domain/tiers/simulate.ts'
import { firstDayLookedAt } from '../../domain/tiers/windows.ts'
import { ladderOf } from '../../ladder-message.ts'
import { brandIdText } from '../../store/keys.ts'
import { readMemberDays, readMembersAfter, readMemberTiers } from '../../store/tiers.ts'
import { checkLadder } from '../check-ladder.ts'
import { brandOf } from '../checks.ts'
import { ladderInForce } from './ladder-in-force.ts'

/** Members read at once. */
const PAGE_MEMBERS = 1_000

/** How many members another ladder would move. */
export async function simulateLadderOf(
  context: LedgerContext,
  request: SimulateLadderRequest,
): Promise<SimulateLadderResponse> {
  const { brand, timeZone } = brandOf(context, request.brand)
  const message = checkPresent(request.ladder, 'ladder')
  checkLadder(message, 'ladder')
  const next = ladderOf(message)
  const ladder = (await ladderInForce(context, brand)) ?? next
  const base = { ladder, nowMs: context.clock.nowMs(), timeZone }
  let total: LadderSimulation = { up: 0, down: 0, same: 0, members: new Map() }
  let after: string | null = null
  for (;;) {
    const members: readonly string[] = await readMembersAfter(context.database, brand, after, PAGE_MEMBERS)
    if (members.length === 0) break
    total = sumOf(total, simulateLadder(await factsOf(context, { brand, members, base }), next))
    after = members.at(-1) ?? null
  }
  const { up, down, same } = total
  const tiers = ['', ...next.tiers.map(({ tierId }) => tierId)].map((tierId) => {
    return { tierId, members: BigInt(total.members.get(tierId) ?? 0) }
  })
  return { up: BigInt(up), down: BigInt(down), same: BigInt(same), tiers }
}

async function factsOf(
  { database }: LedgerContext,
  page: {
    readonly brand: string
    readonly members: readonly string[]
    readonly base: Pick<TierFacts, 'ladder' | 'nowMs' | 'timeZone'>
  },
): Promise<readonly TierFacts[]> {
  const { brand, members, base } = page
  const keys = members.map((memberId) => ({ brand, memberId }))
  const [tiers, days] = await Promise.all([
    readMemberTiers(database, keys),
    readMemberDays(database, keys, firstDayLookedAt(base.nowMs)),
  ])
  const states = new Map(tiers.map((tier) => [brandIdText(brand, tier.memberId), tier.state]))
  const daysBy = new Map(days.map((one) => [brandIdText(brand, one.memberId), one.days]))
  return keys.map(({ memberId }) => {
    const text = brandIdText(brand, memberId)
    return { ...base, state: states.get(text), days: daysBy.get(text) ?? [] }
  })
}

function sumOf(left: LadderSimulation, right: LadderSimulation): LadderSimulation {
  const members = new Map(left.members)
  for (const [tierId, count] of right.members) members.set(tierId, (members.get(tierId) ?? 0) + count)
  return { up: left.up + right.up, down: left.down + right.down, same: left.same + right.same, members }
}
