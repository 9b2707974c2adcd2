import type { PhoneRow } from '@stampede/sandbox'

/** A pass on a phone, from one installation to its removal, as the sandbox's own journal knows it. */
export interface Holding {
  /** Push token of the phone. */
  readonly token: string
  readonly passTypeId: string
  readonly serial: string
  /** Unix ms. */
  readonly installedAtMs: number
  /** Unix ms when the phone first showed it, which is after the server confirmed its registration. */
  readonly registeredAtMs: number | undefined
  /** Unix ms; undefined while it is held. */
  readonly removedAtMs: number | undefined
}

/** All holdings there ever were. */
export interface Holdings {
  readonly byToken: ReadonlyMap<string, readonly Holding[]>
  readonly bySerial: ReadonlyMap<string, readonly Holding[]>
}

type OpenHolding = { -readonly [Field in keyof Holding]: Holding[Field] }

/** Reads who held what and when. */
export async function readHoldings(rows: AsyncIterable<PhoneRow>): Promise<Holdings> {
  const byToken = new Map<string, OpenHolding[]>()
  const bySerial = new Map<string, OpenHolding[]>()
  for await (const row of rows) {
    if (row.event !== 'install' && row.event !== 'show' && row.event !== 'remove') continue
    const { token, passTypeId, serial, at } = row
    const held = byToken.get(token)?.findLast((one) => one.serial === serial && one.removedAtMs === undefined)
    if (row.event === 'remove') {
      if (held !== undefined) held.removedAtMs = at
    } else if (row.event === 'show') {
      if (held !== undefined) held.registeredAtMs ??= at
    } else if (held === undefined) {
      // A repeated installation of what is held continues one that a kill interrupted.
      const first = { token, passTypeId, serial, installedAtMs: at, registeredAtMs: undefined, removedAtMs: undefined }
      add(byToken, token, first)
      add(bySerial, serial, first)
    }
  }
  return { byToken, bySerial }
}

function add(index: Map<string, OpenHolding[]>, key: string, holding: OpenHolding): void {
  const known = index.get(key)
  if (known === undefined) index.set(key, [holding])
  else known.push(holding)
}
