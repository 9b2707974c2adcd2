import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { type ClickHouseClient, createClient } from '@clickhouse/client'

/** Where ClickHouse is. */
export interface ClickHouseOptions {
  /** http(s) address of a server, with user and password when it wants them; undefined takes the embedded engine. */
  readonly url?: string | undefined
  /** Folder of the embedded engine; one per process. Unused with a url. */
  readonly dataDir: string
}

/** A client of the database `stampede`; disposing closes it (and the embedded engine). */
export type ClickHouse = ClickHouseClient & AsyncDisposable

type InjectedConnection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>

const database = 'stampede'
const requestTimeoutMs = 60_000
/** Bytes that one query may take in the embedded engine, which shares the machine with all else. */
const embeddedMemoryBytesMax = 2_000_000_000
const embeddedThreadsMax = 2

/**
 * Opens ClickHouse and makes the database `stampede` when it is missing. The embedded engine holds one folder per
 * process; opening another folder while one is open fails.
 */
export async function openClickHouse({ url, dataDir }: ClickHouseOptions): Promise<ClickHouse> {
  return url === undefined ? openEmbedded(resolve(dataDir)) : openServer(url)
}

async function openServer(url: string): Promise<ClickHouse> {
  const setup = createClient({ url, request_timeout: requestTimeoutMs })
  try {
    await setup.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}` })
  } finally {
    await setup.close()
  }
  return createClient({ url, database, request_timeout: requestTimeoutMs })
}

async function openEmbedded(dataDir: string): Promise<ClickHouse> {
  mkdirSync(dataDir, { recursive: true })
  // Loaded on demand: the engine is a library of several hundred megabytes.
  const { createChdbConnection } = await import('chdb/connection')
  // The same contract, declared once in each of the two packages.
  const connection = createChdbConnection({ path: dataDir }) as unknown as InjectedConnection
  const client = createClient({ connection })
  await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${database} ENGINE = Atomic` })
  await client.command({ query: `USE ${database}` })
  await client.command({ query: `SET max_memory_usage = ${embeddedMemoryBytesMax}` })
  await client.command({ query: `SET max_threads = ${embeddedThreadsMax}` })
  return client
}
