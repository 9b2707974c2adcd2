// npm run dead-letters -- list|replay|discard [--subject PATTERN] [--max N] [--data-dir DIR]: messages that nobody could handle.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  connectNats,
  createLogger,
  type DeadLetter,
  discardDeadLetters,
  listDeadLetters,
  type Nats,
  replayDeadLetters,
  runningServers,
} from '@stampede/platform'

const usage = `dead-letters: npm run dead-letters -- list [--subject PATTERN] [--max N]
              npm run dead-letters -- replay [--subject PATTERN] [--max N]
              npm run dead-letters -- discard [--subject PATTERN] [--max N]
  PATTERN: of the original subjects, such as push.bulk.* or ledger.>; default all
  N:       letters at most; default 1,000
  The broker is that of STAMPEDE_NATS_URL, else of the platform that runs on --data-dir (.stampede).`
const defaultMax = 1_000
const exitFailed = 1
const exitUsage = 2

type Command = (nats: Nats, wish: Wish) => Promise<number>

const commands: ReadonlyMap<string, Command> = new Map([
  ['list', list],
  ['replay', replay],
  ['discard', discard],
])

interface Wish {
  readonly run: Command
  readonly filter: { readonly subject?: string }
  readonly max: number
  readonly dataDir: string
}

function readArguments(): Wish | undefined {
  const options = {
    subject: { type: 'string' },
    max: { type: 'string', default: String(defaultMax) },
    'data-dir': { type: 'string', default: '.stampede' },
  } as const
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true })
    const [command = '', ...more] = positionals
    const max = Number(values.max)
    const run = commands.get(command)
    if (run === undefined || more.length > 0 || !Number.isInteger(max) || max < 1) return undefined
    const filter = values.subject === undefined ? {} : { subject: values.subject }
    return { run, filter, max, dataDir: resolve(values['data-dir']) }
  } catch {
    return undefined
  }
}

function describe({ sequence, at, subject, stream, consumer, reason, payload }: DeadLetter): string {
  return `${sequence}  ${at.toISOString()}  ${subject}  ${stream}/${consumer}  ${payload.length} bytes  ${reason}`
}

async function list(nats: Nats, { filter, max }: Wish): Promise<number> {
  let count = 0
  for await (const letter of listDeadLetters(nats, filter)) {
    if (count === max) {
      console.log(`there are more than ${max}: --max shows them`)
      return 0
    }
    count += 1
    console.log(describe(letter))
  }
  console.log(`dead letters: ${count}`)
  return 0
}

async function replay(nats: Nats, { filter, max }: Wish): Promise<number> {
  let [replayed, failed] = [0, 0]
  for await (const one of replayDeadLetters(nats, { ...filter, max })) {
    if (one.ok) replayed += 1
    else failed += 1
    console.log(`${one.ok ? 'replayed' : `left (${one.reason})`}  ${describe(one.letter)}`)
  }
  console.log(`replayed: ${replayed}, left: ${failed}`)
  return failed === 0 ? 0 : exitFailed
}

async function discard(nats: Nats, { filter, max }: Wish): Promise<number> {
  let discarded = 0
  for await (const letter of discardDeadLetters(nats, { ...filter, max })) {
    discarded += 1
    console.log(`discarded  ${describe(letter)}`)
  }
  console.log(`discarded: ${discarded}`)
  return 0
}

async function main(): Promise<number> {
  const wish = readArguments()
  if (wish === undefined) {
    console.error(usage)
    return exitUsage
  }
  const url = process.env['STAMPEDE_NATS_URL'] ?? runningServers(wish.dataDir)?.natsUrl
  if (url === undefined) {
    console.error(`dead-letters: no platform runs on ${wish.dataDir}; start it, or set STAMPEDE_NATS_URL`)
    return exitUsage
  }
  await using nats = await connectNats({ url, name: 'dead-letters', logger: createLogger('dead-letters', 'warn') })
  return await wish.run(nats, wish)
}

process.exitCode = await main()
