import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** What the command line asks for. */
export interface DemoOptions {
  /** Receipts file; undefined generates purchases from the seed. */
  readonly receipts: string | undefined
  readonly layout: 'csv' | 'fixed'
  readonly columns: string
  readonly timeZone: string
  /** ISO 4217 code of the purchases' money. */
  readonly currency: string
  readonly asDated: boolean
  /** Generated members. */
  readonly members: number
  readonly seed: number
  /** false only starts the platform. */
  readonly demo: boolean
  /** End after the story. */
  readonly exit: boolean
  readonly dataDir: string
  /** Receipts posted one by one while the phones watch. */
  readonly live: number
  /** Segments that the campaign goes to. */
  readonly segments: readonly string[]
  /** Calls per second that Google granted to the issuer. */
  readonly googlePerSecond: number
  /** rotation: the brand comes from a Kubernetes cluster, and its certificate is rotated during the campaign. */
  readonly story: 'black-friday' | 'rotation'
}

/** A command line that cannot be used; one clear line. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const helpText = `npm start [-- flags]   starts Stampede on this machine and tells its story

  --members N           generated members, 1 to 1,000,000 (default 2000)
  --seed N              seed of what is generated (default 1)
  --receipts FILE       real purchases instead: CSV or CSV.gz with a header
  --columns A=B,...     where to find receipt, customer, item, quantity, price, amount, date, store,
                        category; by default found by name. Customer, date and amount (or price with
                        quantity) are needed.
  --layout fixed        the file has fixed-width lines and no header; --columns then takes
                        characters: --columns customer=2-6,date=13-20,quantity=22-23,amount=25-31
  --time-zone ZONE      zone of the dates and of the brand's day (default Europe/London)
  --currency CODE       money of the purchases, with two decimals (default GBP)
  --as-dated            keep old dates; by default the last receipt is moved to yesterday
  --live N              receipts posted one by one while the phones watch, 0 to 5000 (default 200)
  --segments A,B        who gets the campaign: buyers, all, or RFM segments such as
                        champions,loyal (default buyers)
  --google-per-second N calls that Google granted to the issuer (default 20, as it grants everyone)
  --story NAME          black-friday (default), or rotation: the brand is applied to a real Kubernetes
                        API server, and its certificate is rotated while the campaign runs
  --data-dir DIR        where everything is kept (default .stampede)
  --no-demo             only start the platform
  --exit                end after the story
  --help                this text

Servers of your own: STAMPEDE_POSTGRES_URL, STAMPEDE_NATS_URL, STAMPEDE_CLICKHOUSE_URL.
`

const flags = {
  receipts: { type: 'string' },
  layout: { type: 'string', default: 'csv' },
  columns: { type: 'string', default: '' },
  'time-zone': { type: 'string', default: 'Europe/London' },
  currency: { type: 'string', default: 'GBP' },
  'as-dated': { type: 'boolean', default: false },
  members: { type: 'string', default: '2000' },
  seed: { type: 'string', default: '1' },
  'no-demo': { type: 'boolean', default: false },
  exit: { type: 'boolean', default: false },
  'data-dir': { type: 'string', default: '.stampede' },
  live: { type: 'string', default: '200' },
  segments: { type: 'string', default: 'buyers' },
  'google-per-second': { type: 'string', default: '20' },
  story: { type: 'string', default: 'black-friday' },
  help: { type: 'boolean', default: false },
} as const

/** Reads the command line; `help` when it asks for the help text. Throws UsageError. */
export function parseOptions(args: readonly string[]): DemoOptions | 'help' {
  const values = parseFlags(args)
  if (values.help) return 'help'
  const layout = values.layout
  if (layout !== 'csv' && layout !== 'fixed') throw new UsageError(`--layout is csv or fixed, not "${layout}"`)
  if (values.receipts === undefined && (values.columns !== '' || values['as-dated'] || layout === 'fixed')) {
    throw new UsageError('--columns, --layout and --as-dated describe a file: name it by --receipts FILE')
  }
  const { story } = values
  if (story !== 'black-friday' && story !== 'rotation')
    throw new UsageError(`--story is black-friday or rotation, not "${story}"`)
  return {
    receipts: values.receipts === undefined ? undefined : resolve(values.receipts),
    layout,
    columns: values.columns,
    timeZone: checkTimeZone(values['time-zone']),
    currency: checkCurrency(values.currency),
    asDated: values['as-dated'],
    members: wholeNumber('members', values.members, 1, 1_000_000),
    seed: wholeNumber('seed', values.seed, 0, 2 ** 31 - 1),
    demo: !values['no-demo'],
    exit: values.exit,
    dataDir: resolve(values['data-dir']),
    live: wholeNumber('live', values.live, 0, 5_000),
    segments: values.segments.split(',').map((segment) => segment.trim()),
    story,
    googlePerSecond: wholeNumber('google-per-second', values['google-per-second'], 1, 10_000),
  }
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new UsageError(`--${flag} is a whole number from ${min} to ${max}, not "${text}"`)
}

function checkTimeZone(timeZone: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return timeZone
  } catch {
    throw new UsageError(`--time-zone: "${timeZone}" is not an IANA zone such as Europe/London`)
  }
}

function checkCurrency(currency: string): string {
  if (/^[A-Z]{3}$/.test(currency)) return currency
  throw new UsageError(`--currency is an ISO 4217 code such as GBP, not "${currency}"`)
}
