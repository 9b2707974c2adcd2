import assert from 'node:assert/strict'
import type { Database } from '@stampede/platform'
import { verifyLedger } from '../verify.ts'

/** Rule of the books, and a statement that breaks it and nothing that is looked at before it. */
export type Damage = readonly [invariant: string, statement: string]

/** Does each damage, which is undone again, and asserts that its rule finds it; answers how many rules that were. */
export async function assertFound(database: Database, damages: readonly Damage[]): Promise<number> {
  assert.equal((await verifyLedger(database)).ok, true)
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
  return found.size
}

/** Asserts that every rule of the books holds. */
export async function assertTrueBooks({ database }: { readonly database: Database }): Promise<void> {
  const result = await verifyLedger(database)
  assert(
    result.ok,
    JSON.stringify(result, (_, value) => String(value)),
  )
}
