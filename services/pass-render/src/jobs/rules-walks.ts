import type { Logger, Sql } from '@stampede/platform'
import type { Context } from '../context.ts'
import { pickTemplate, type TemplateRule } from '../domain/rules.ts'
import { lockCards } from '../store/cards.ts'
import { findRules } from '../store/rules.ts'
import { type Move, ownersFrom, saveMoves, saveRulesWalk, takeRulesWalk } from '../store/rules-walks.ts'
import { announceChanges, type CardChange, cardState } from './announce.ts'

/** How often a step is made, in milliseconds. */
const STEP_MS = 1_000
/** Share of this replica's answer capacity that moved cards may call back to it. */
const CAPACITY_SHARE = 0.5
/** Cards of one step at most. */
const MAX_CARDS = 1_000

/** Brings new rules to the cards, at a pace that the answers can bear. */
export class RulesWalks {
  readonly #context: Context
  readonly #logger: Logger
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | undefined

  constructor(context: Context) {
    this.#context = context
    this.#logger = context.logger
    this.#timer = setInterval(() => this.#tick(), STEP_MS)
  }

  #tick(): void {
    this.#running ??= rulesStep(this.#context)
      .catch((error: unknown) => this.#logger.warn({ err: error }, 'a step of a brand’s new rules failed'))
      .finally(() => {
        this.#running = undefined
      })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }
}

/** Moves the next cards of one brand to the templates that its rules pick, if rules are on their way. */
export async function rulesStep(context: Context): Promise<void> {
  const perStep = Math.floor((context.capacity.perSecond * CAPACITY_SHARE * STEP_MS) / 1_000)
  const limit = Math.max(1, Math.min(MAX_CARDS, perStep))
  const moved = await context.database.transaction((tx) => takeStep(context, tx, limit))
  if (moved > 0) context.relay.wake()
}

async function takeStep(context: Context, tx: Sql, limit: number): Promise<number> {
  const walk = await takeRulesWalk(tx)
  const brand = walk === undefined ? undefined : context.brands.get(walk.brand)
  if (walk === undefined || brand === undefined) return 0
  const owners = await ownersFrom(tx, walk.brand, walk.nextNo, limit)
  const last = owners.at(-1)
  await saveRulesWalk(tx, walk.brand, last === undefined ? undefined : last.no + 1n)
  if (last === undefined) return 0
  const { rules } = await findRules(tx, walk.brand)
  const changes = await movesOf(
    tx,
    walk.brand,
    owners.map((item) => item.ownerId),
    rules,
  )
  const moves = changes.map((change): Move => ({ no: change.pass.no, templateId: change.templateIdAfter ?? '' }))
  await saveMoves(tx, walk.brand, moves)
  await announceChanges(context, tx, brand, changes, context.clock.now())
  return changes.length
}

async function movesOf(
  tx: Sql,
  brand: string,
  ownerIds: readonly string[],
  rules: readonly TemplateRule[],
): Promise<readonly CardChange[]> {
  const cards = await lockCards(tx, brand, ownerIds)
  return cards.flatMap((card): readonly CardChange[] => {
    const { pass } = card
    if (pass === undefined) return []
    const templateIdAfter = pickTemplate(rules, pass.details)
    if (templateIdAfter === undefined || templateIdAfter === pass.templateId) return []
    const state = cardState(card, pass)
    const sourcesVersion = pass.memberVersion + pass.detailsVersion + card.accountVersion + card.relevanceVersion
    return [{ pass, before: state, after: state, sourcesVersion, templateIdAfter }]
  })
}
