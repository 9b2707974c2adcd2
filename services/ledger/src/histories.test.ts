import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StampedeError } from '@stampede/platform'
import fc from 'fast-check'
import { flushDue } from './flush/flush.ts'
import { Model } from './testing/histories/model.ts'
import { campaignMessage, type ModelCampaign, programmeMessage, START_MS } from './testing/histories/model-rules.ts'
import { type Cast, Player } from './testing/histories/player.ts'
import { CODES_EACH, type Step, setting, stepsOf, wait } from './testing/histories/steps.ts'
import { BRAND, keepPostgres, member, type TestLedger, testLedger } from './testing/ledger.ts'
import { verifyLedger } from './verify.ts'

const FACTOR = process.env['STAMPEDE_FULL'] === '1' ? 10 : 1
const HISTORIES = 300 * FACTOR
const STEPS = 40
/** Programmes are shared by histories, as brands are by members. */
const BRANDS = 20
const SWEPT_MAX = 10_000
const HOUR_MS = 3_600_000
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

keepPostgres()

const sampled = <T>(arbitrary: fc.Arbitrary<T>, numRuns: number) => fc.sample(arbitrary, { numRuns, seed })

test(`${HISTORIES} histories of ${STEPS} steps in PostgreSQL are what the model says, after every step (seed ${seed})`, async () => {
  await using ledger = await testLedger()
  ledger.clock.advance(START_MS - ledger.clock.nowMs())
  const settings = sampled(setting, BRANDS)
  for (const [at, { rules }] of settings.entries()) {
    const publish = { idempotencyKey: `rules-${at}`, brand: brandOf(at), programme: programmeMessage(rules) }
    await ledger.handlers.putProgramme({ ...publish, effectiveAt: new Date(0) }, ledger.call)
  }
  const lives = await Promise.all(
    sampled(stepsOf(STEPS, STEPS), HISTORIES).map(async (steps, at) => {
      const { rules, campaigns } = settings[at % BRANDS] ?? assert.fail('every brand has a programme')
      const name = `h${at}`
      const memberIds = [member(`${name}-a`), member(`${name}-b`)] as const
      const codes = await issueCodes(ledger, { at, campaigns, memberIds })
      const model = new Model(rules, campaigns, CODES_EACH)
      const cast = { brand: brandOf(at), name, memberIds, codes }
      return { cast, model, steps, player: new Player(ledger, cast, model) }
    }),
  )
  const [waits = []] = sampled(fc.array(wait, { minLength: STEPS, maxLength: STEPS }), 1)
  for (let at = 0; at < STEPS; at++) {
    ledger.clock.advance((waits[at] ?? 0) * HOUR_MS)
    if (at % 8 === 0) await flushDue(ledger.flushContext, SWEPT_MAX)
    if (at % 8 === 0) for (const { model } of lives) model.sweep(ledger.clock.nowMs())
    await Promise.all(lives.map((life) => step(ledger, life, at)))
  }
  const result = await verifyLedger(ledger.database)
  assert.equal(result.ok ? 'true books' : result, 'true books')
})

interface Life {
  readonly cast: Cast
  readonly model: Model
  readonly player: Player
  readonly steps: readonly Step[]
}

async function step({ handlers, call }: TestLedger, { cast, player, steps }: Life, at: number): Promise<void> {
  const one = steps[at]
  if (one === undefined) return
  try {
    await player.play(one)
    for (const [who, memberId] of cast.memberIds.entries()) {
      const known = await handlers.getBalance({ brand: cast.brand, memberId }, call).catch(unknownMember)
      if (known?.balance !== undefined) player.check(who, known.balance)
    }
  } catch (error) {
    throw new Error(`${cast.name}, step ${at}, SEED=${seed}: ${describe(one)}`, { cause: error })
  }
}

function unknownMember(error: unknown): undefined {
  if (error instanceof StampedeError && error.code === 'NOT_FOUND') return undefined
  throw error
}

function describe(one: Step): string {
  return JSON.stringify(one, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
}

function brandOf(at: number): string {
  return `${BRAND}-${at % BRANDS}`
}

/** A history has campaigns of its own: others would spend its budgets. */
async function issueCodes(
  { coupons, call }: TestLedger,
  history: {
    readonly at: number
    readonly campaigns: readonly ModelCampaign[]
    readonly memberIds: readonly string[]
  },
): Promise<readonly string[]> {
  const codes: string[] = []
  for (const [index, campaign] of history.campaigns.entries()) {
    const campaignId = `h${history.at}-${index}`
    const brand = brandOf(history.at)
    const put = { idempotencyKey: `put-${campaignId}`, brand, campaign: campaignMessage(campaignId, campaign) }
    await coupons.putCouponCampaign(put, call)
    const memberId = campaign.owner === undefined ? '' : (history.memberIds[campaign.owner] ?? '')
    const request = { idempotencyKey: `issue-${campaignId}`, brand, campaignId, memberId, count: CODES_EACH, codes: [] }
    const issued = await coupons.issueCoupons(request, call)
    codes.push(...issued.coupons.map(({ code }) => code))
  }
  return codes
}
