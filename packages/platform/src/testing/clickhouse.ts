import { join } from 'node:path'
import type { ClickHouseClient } from '@clickhouse/client'
import { type ClickHouse, openClickHouse } from '../clickhouse.ts'
import { tempDir } from './temp-dir.ts'

/** An empty embedded ClickHouse; disposing closes and removes it. One at a time per process. */
export interface TestClickHouse extends AsyncDisposable {
  readonly client: ClickHouseClient
  /** Folder of the engine, for a test that opens it again. */
  readonly dataDir: string
}

/** Opens an embedded ClickHouse in a temporary folder. */
export async function testClickHouse(): Promise<TestClickHouse> {
  const dir = tempDir('clickhouse')
  const dataDir = join(dir.path, 'clickhouse')
  const client: ClickHouse = await openClickHouse({ dataDir })
  return {
    client,
    dataDir,
    [Symbol.asyncDispose]: async () => {
      await client.close()
      dir[Symbol.dispose]()
    },
  }
}
