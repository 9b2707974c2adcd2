import assert from 'node:assert/strict'
import type { Database } from '@stampede/platform'
import { verifyLedger } from '../verify.ts'

/** A rule of the books and a statement that breaks it. */
export type Damage = readonly [invariant: string, statement: string]

/** Damages sound books, one statement after the other, and asserts that each is noticed by its rule; answers the rules. */
export async function assertNoticed(database: Database, damages: readonly Damage[]): Promise<ReadonlySet<string>> {
  const sound = await verifyLedger(database)
  assert(
    sound.ok,
    JSON.stringify(sound, (_, value) => String(value)),
  )
  const found = new Set<string>()
  for (const [invariant, statement] of damages) {
    const undo = new Error('undo')
    const outcome = database.transaction(async (tx) => {
      await tx.query('SET LOCAL session_replication_role = replica')
      await tx.query(statement)
      const result = await verifyLedger(tx)
      assert(!result.ok, `not noticed: ${statement}`)
      assert.equal(result.invariant, invariant, statement)
      assert(Object.keys(result.row).length > 0)
      found.add(result.invariant)
      throw undo
    })
    await assert.rejects(outcome, (error) => error === undo || assert.fail(String(error)))
  }
  assert.equal((await verifyLedger(database)).ok, true)
  return found
}
