import { SharedArray } from 'k6/data'
import exec from 'k6/execution'
import type { Fixture, Phone } from '../plan/fixture.ts'

/** What the runner prepared; its file is named by the variable FIXTURE. */
export const fixture: Fixture = JSON.parse(open(__ENV['FIXTURE'] ?? 'fixture.json'))

/** Ids of all members. Kept once, not once per caller. */
export const members: readonly string[] = new SharedArray('members', () => JSON.parse(open(fixture.membersFile)))

/** Phones that k6 plays. */
export const phones: readonly Phone[] = new SharedArray('phones', () => JSON.parse(open(fixture.phonesFile)))

/** One of a list, at random; the list must not be empty. */
export function pick<T>(list: readonly T[]): T {
  const found = list[Math.floor(Math.random() * list.length)]
  if (found === undefined) throw new Error('nothing to pick from')
  return found
}

/** A key that no other call of any run has. */
export function uniqueKey(what: string): string {
  const { idInTest, iterationInScenario } = exec.vu
  return `${fixture.run}/${exec.scenario.name}/${idInTest}-${iterationInScenario}/${what}`
}
