import { type Logger, type OutboxMessage, type Sql, uuidv7, writeOutbox } from '@stampede/platform'
import type { Context } from '../context.ts'
import type { BrandView } from '../domain/card.ts'
import { MAX_CHUNK_RECIPIENTS } from '../domain/push-parts.ts'
import { bulkChunks } from '../events.ts'
import { listPasses } from '../store/passes.ts'
import { endRollout, type Rollout, rolloutRecipients, saveRollout, takeRollout } from '../store/rollouts.ts'
import { googleObject, shownDesigns } from './announce.ts'

/** How often a step is made, in milliseconds. */
const STEP_MS = 1_000
/** Share of this replica's answer capacity that a new design may call back to it. */
const CAPACITY_SHARE = 0.5
/** Google objects written anew per step. */
const MAX_OBJECTS_PER_STEP = 500

/** Brings new designs to the installed cards, at a pace that the answers can bear. */
export class Rollouts {
  readonly #context: Context
  readonly #logger: Logger
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> = Promise.resolve()
  #isRunning = false

  constructor(context: Context) {
    this.#context = context
    this.#logger = context.logger
    this.#timer = setInterval(() => this.#tick(), STEP_MS)
  }

  #tick(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#running = rolloutStep(this.#context)
      .catch((error: unknown) => this.#logger.warn({ err: error }, 'a step of a design’s rollout failed'))
      .finally(() => {
        this.#isRunning = false
      })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }
}

/** Wakes the next devices of one brand and writes its next Google objects, if a design is on its way. */
export async function rolloutStep(context: Context): Promise<void> {
  const perStep = Math.floor((context.capacity.perSecond * CAPACITY_SHARE * STEP_MS) / 1_000)
  const limit = Math.max(1, Math.min(MAX_CHUNK_RECIPIENTS, perStep))
  const messages = await context.database.transaction((tx) => takeStep(context, tx, limit))
  if (messages > 0) context.relay.wake()
}

async function takeStep(context: Context, tx: Sql, limit: number): Promise<number> {
  const rollout = await takeRollout(tx)
  if (rollout === undefined) return 0
  const brand = context.brands.get(rollout.brand)
  if (brand === undefined) return 0
  const pushes = await nextPushes(context, tx, brand, rollout, limit)
  const objects = await nextObjects(context, tx, brand, rollout)
  const messages = [...pushes.messages, ...objects.messages]
  await writeOutbox(tx, messages)
  if (pushes.devicesDone && objects.nextGoogleNo === undefined) await endRollout(tx, rollout)
  else await saveRollout(tx, { ...rollout, ...pushes, ...objects })
  return messages.length
}

interface Pushes {
  readonly messages: readonly OutboxMessage[]
  readonly afterDevice: string
  readonly parts: number
  readonly devicesDone: boolean
}

async function nextPushes(
  context: Context,
  tx: Sql,
  brand: BrandView,
  rollout: Rollout,
  limit: number,
): Promise<Pushes> {
  const { afterDevice, parts } = rollout
  const recipients = rollout.devicesDone ? [] : await rolloutRecipients(tx, rollout, limit)
  const last = recipients.at(-1)
  if (last === undefined) return { messages: [], afterDevice, parts, devicesDone: true }
  const now = context.clock.now()
  // The id begins with its time: the result job reads from it when the tokens were attached.
  const messages = bulkChunks(brand, `${uuidv7(now.getTime())}/${parts}`, recipients, now)
  context.meters.recipients.inc({ brand: brand.brand, lane: 'bulk' }, recipients.length)
  return { messages, afterDevice: last.deviceLibraryId, parts: parts + 1, devicesDone: false }
}

interface Objects {
  readonly messages: readonly OutboxMessage[]
  readonly nextGoogleNo: bigint | undefined
}

async function nextObjects(context: Context, tx: Sql, brand: BrandView, rollout: Rollout): Promise<Objects> {
  const from = rollout.nextGoogleNo
  if (from === undefined || brand.googleIssuerId === '') return { messages: [], nextGoogleNo: undefined }
  const records = await listPasses(tx, brand.brand, from, MAX_OBJECTS_PER_STEP)
  const designOf = await shownDesigns(context, tx, brand.brand, records)
  const last = records.at(-1)
  const now = context.clock.now()
  const messages = records.flatMap((record) => googleObject(brand, designOf(record), record, now))
  return { messages, nextGoogleNo: last === undefined ? undefined : last.no + 1n }
}
