import type { Client } from '../run.ts'
import { digits } from '../table.ts'
import type { Goal } from './context.ts'
import type { RowResult } from './rows.ts'

/** That one client is at least so many times as fast as another; nothing when either was not measured. */
export function ratioGoal(
  results: readonly RowResult[],
  ours: Client,
  peer: Client | undefined,
  atLeast: number,
): readonly Goal[] {
  const mine = results.find(({ client }) => client === ours)
  const theirs = results.find(({ client }) => client === peer)
  if (mine === undefined || theirs === undefined) return []
  const ratio = mine.pushesPerSecond / theirs.pushesPerSecond
  const name = `${theirs.client.name}, ${theirs.connections} x ${theirs.streams}`
  return [
    { name: `faster than ${name}`, must: `${atLeast} x`, measured: `${digits(ratio)} x`, isReached: ratio >= atLeast },
  ]
}

/** That a measured value is at most, or at least, a limit. */
export function limitGoal(
  name: string,
  measured: number,
  kind: 'at most' | 'at least',
  limit: number,
  unit: string,
): Goal {
  const isReached = kind === 'at most' ? measured <= limit : measured >= limit
  return { name, must: `${kind} ${limit}${unit}`, measured: `${digits(measured)}${unit}`, isReached }
}
