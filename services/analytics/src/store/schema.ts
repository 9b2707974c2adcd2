import { readdir, readFile } from 'node:fs/promises'
import { type ClickHouse, uuidv7 } from '@stampede/platform'
import { execute, selectRows } from './clickhouse.ts'

const folder = new URL('./clickhouse/', import.meta.url)

/** Makes the tables that are missing. Every statement may run again. */
export async function createTables(client: ClickHouse): Promise<void> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  for (const file of files) {
    const text = await readFile(new URL(file, folder), 'utf8')
    for (const statement of statementsOf(text)) await execute(client, statement)
  }
}

function statementsOf(text: string): readonly string[] {
  const code = text.replace(/^--.*$/gm, '')
  return code
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

/**
 * Identity of this ClickHouse store. Positions in streams belong to it: a store that was deleted and made anew starts
 * from the oldest message that its streams still have.
 */
export async function storeId(client: ClickHouse): Promise<string> {
  const query = 'SELECT id FROM stampede.analytics_store ORDER BY created_at, id LIMIT 1'
  const [known] = await selectRows<{ id: string }>(client, query)
  if (known) return known.id
  await execute(client, 'INSERT INTO stampede.analytics_store SELECT {id:String}, now64(3)', { id: uuidv7() })
  const [made] = await selectRows<{ id: string }>(client, query)
  if (!made) throw new Error('the ClickHouse store did not keep its identity')
  return made.id
}
