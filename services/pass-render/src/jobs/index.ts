import { type Delivery, type StreamName, startConsumer, subjects } from '@stampede/platform'
import type { Context } from '../context.ts'
import { handleAccounts } from './accounts.ts'
import { handleChunks } from './chunks.ts'
import { followBrand } from './design-changes.ts'
import { handleMembers } from './members.ts'
import { handleRelevance } from './relevance.ts'
import { handleResults } from './results.ts'
import { Rollouts } from './rollouts.ts'
import { RulesWalks } from './rules-walks.ts'

/** Events of one projecting transaction at most. */
const MAX_BATCH = 500
/** Rows of audiences given to their passes by one transaction at most; what is in hand when a replica dies comes again. */
export const MAX_CHUNK_BATCH = 8
/** Results of one transaction at most; each tells about up to 1,000 recipients. */
const MAX_RESULT_BATCH = 16
const EXPIRES_MS = 5_000

interface Job {
  readonly name: string
  readonly stream: StreamName
  readonly subject: string
  readonly batchMax: number
  handle(context: Context, batch: readonly Delivery[]): Promise<void>
}

const jobs: readonly Job[] = [
  { name: 'members', stream: 'EVENTS', subject: subjects.member('*'), batchMax: MAX_BATCH, handle: handleMembers },
  { name: 'accounts', stream: 'EVENTS', subject: subjects.account('*'), batchMax: MAX_BATCH, handle: handleAccounts },
  {
    name: 'relevance',
    stream: 'EVENTS',
    subject: subjects.relevance('*'),
    batchMax: MAX_BATCH,
    handle: handleRelevance,
  },
  { name: 'chunks', stream: 'EVENTS', subject: subjects.chunk('*'), batchMax: MAX_CHUNK_BATCH, handle: handleChunks },
  {
    name: 'results',
    stream: 'PUSH_RESULT',
    subject: subjects.pushResult('*'),
    batchMax: MAX_RESULT_BATCH,
    handle: handleResults,
  },
]

/** Starts every consumer and timer; disposing stops them after the batches in hand. */
export async function startJobs(context: Context): Promise<AsyncDisposable> {
  const { nats, logger, metrics } = context
  await using stack = new AsyncDisposableStack()
  for (const job of jobs) {
    stack.use(
      await startConsumer({
        nats,
        stream: job.stream,
        durable: `pass-render-${job.name}`,
        filterSubjects: [job.subject],
        batchMax: job.batchMax,
        expiresMs: EXPIRES_MS,
        logger,
        metrics,
        handle: (batch) => job.handle(context, batch),
      }),
    )
  }
  stack.use(new Rollouts(context))
  stack.use(new RulesWalks(context))
  followBrands(context)
  return stack.move()
}

// Brands seldom change; should the database be away just then, the next start of a replica notices.
function followBrands(context: Context): void {
  const follow = (slug: string) => {
    const brand = context.brands.get(slug)
    if (brand === undefined) return
    followBrand(context, brand).catch((error: unknown) => {
      context.logger.warn({ err: error, brand: slug }, 'a change of a brand is not on its cards yet')
    })
  }
  context.brands.onChange(follow)
  for (const brand of context.brands.list()) follow(brand.brand)
}
