import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StampedeError } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { DonationProgramme } from '@stampede/proto/donations/v1'
import { AttributeReferralRequest, ReferralProgramme } from '@stampede/proto/referrals/v1'
import { member, saleOf } from '../testing/ledger.ts'
import { verifyLedger } from '../verify.ts'
import { FailureRig } from './testing/rig.ts'

const BRAND = 'demo'
const REFEREES = 40
const REWARD = 300n
const DEADLINE_MS = 90_000
const RETRYABLE = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED']

/** Asks at the replicas in turn until one answers. */
async function insist<T>(ask: (replica: number) => Promise<T>): Promise<T> {
  let answer: { readonly value: T } | undefined
  let replica = 0
  await until(
    'an answer',
    async () => {
      try {
        replica = 1 - replica
        answer = { value: await ask(replica) }
        return true
      } catch (error) {
        if (error instanceof StampedeError && RETRYABLE.includes(error.code)) return false
        throw error
      }
    },
    DEADLINE_MS,
  )
  assert(answer !== undefined)
  return answer.value
}

async function prepare(rig: FailureRig): Promise<void> {
  const { referrals, donations } = rig.others(0)
  const programme = { earnBasisPoints: 500, pointsLiveDays: 365, maxPayBasisPoints: 10_000, pointValueMinor: 1n }
  await rig.clients[0]?.putProgramme({ idempotencyKey: 'programme', brand: BRAND, programme })
  const advocate = { reward: { $case: 'points', value: REWARD } } as const
  const rules = ReferralProgramme.fromPartial({ advocate, returnDays: 14, attributionDays: 30 })
  await referrals.putReferralProgramme({ idempotencyKey: 'referrals', brand: BRAND, programme: rules })
  const rates = { ratePoints: 1n, rateMinor: 1n, leastPoints: 1n }
  const share = { fundId: 'sea', basisPoints: 100 }
  const funds = DonationProgramme.fromPartial({ fundIds: ['sea'], ...rates, share })
  await donations.putDonationProgramme({ idempotencyKey: 'donations', brand: BRAND, programme: funds })
  const ann = { idempotencyKey: 'code', brand: BRAND, memberId: member('ann') }
  const { code } = await referrals.issueReferralCode(ann)
  for (let index = 0; index < REFEREES; index += 1) {
    const whose = { idempotencyKey: `bring-${index}`, brand: BRAND, memberId: member(`referee-${index}`), code }
    await referrals.attributeReferral(AttributeReferralRequest.fromPartial(whose))
  }
}

test('what follows from receipts happens once for each, while replicas are killed and PostgreSQL crashes', {
  timeout: 240_000,
}, async () => {
  await using rig = await FailureRig.start(2)
  await prepare(rig)
  const sell = (index: number) => {
    const sale = saleOf(`referee-${index}`, `sale-${index}`, { occurredAt: new Date() })
    return insist((replica) => rig.clients[replica]?.postReceipt(sale) ?? assert.fail())
  }
  const blows = [() => rig.killReplica(0), () => rig.crashPostgres(), () => rig.killReplica(1)]
  const size = Math.ceil(REFEREES / (blows.length + 1))
  for (let from = 0; from < REFEREES; from += size) {
    const indexes = Array.from({ length: Math.min(size, REFEREES - from) }, (_, index) => from + index)
    const sold = Promise.all(indexes.map(sell))
    await blows[from / size]?.()
    await sold
  }
  const balance = () =>
    insist((replica) => rig.clients[replica]?.getBalance({ brand: BRAND, memberId: member('ann') }) ?? assert.fail())
  const owed = () => insist((replica) => rig.others(replica).donations.getFundReport({ brand: BRAND, fundId: 'sea' }))
  const expected = { pending: REWARD * BigInt(REFEREES), shareMinor: 20n * BigInt(REFEREES) }
  const now = async () => ({
    pending: (await balance()).balance?.pending ?? 0n,
    shareMinor: (await owed()).shareMinor,
  })
  const arrived = async () => {
    const { pending, shareMinor } = await now().catch((error: unknown) => {
      if (error instanceof StampedeError && error.code === 'NOT_FOUND') return { pending: 0n, shareMinor: 0n }
      throw error
    })
    return pending >= expected.pending && shareMinor >= expected.shareMinor
  }
  await until('all rewards and shares', arrived, DEADLINE_MS)
  assert.deepEqual(await now(), expected)
  await rig.killReplica(0)
  await rig.killReplica(1)
  assert.deepEqual(await now(), expected)
  await using database = await rig.database()
  assert.deepEqual(await verifyLedger(database).then((result) => (result.ok ? 'true books' : result)), 'true books')
})
