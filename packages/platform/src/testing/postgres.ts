import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Client } from 'pg'
import { freePort } from '../embedded/free-port.ts'
import { startEmbeddedPostgres } from '../embedded/postgres.ts'
import { tempDir } from './temp-dir.ts'

/** An empty database of the test's own; disposing drops it. */
export interface TestPostgres extends AsyncDisposable {
  /** Address with a superuser. */
  readonly url: string
}

interface SharedServer extends AsyncDisposable {
  readonly url: string
}

let shared: Promise<SharedServer> | undefined
let users = 0

/**
 * A database of its own on a real PostgreSQL: on the server of STAMPEDE_TEST_POSTGRES_URL (a superuser's address)
 * when that is set, else on one that this process starts for all its tests and ends with the last of them.
 */
export async function testPostgres(): Promise<TestPostgres> {
  users++
  try {
    shared ??= openServer()
    const server = await shared
    const name = `test_${process.pid}_${randomBytes(6).toString('hex')}`
    await admin(server.url, `CREATE DATABASE ${name}`)
    const url = new URL(server.url)
    url.pathname = `/${name}`
    return { url: url.href, [Symbol.asyncDispose]: () => drop(server, name) }
  } catch (error) {
    await leave()
    throw error
  }
}

async function drop(server: SharedServer, name: string): Promise<void> {
  try {
    await admin(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  } finally {
    await leave()
  }
}

async function leave(): Promise<void> {
  users--
  if (users > 0) return
  const server = shared
  shared = undefined
  // A server that never started has nothing to end; its failure was told to whoever asked for it.
  await (await server?.catch(() => undefined))?.[Symbol.asyncDispose]()
}

async function openServer(): Promise<SharedServer> {
  const given = process.env['STAMPEDE_TEST_POSTGRES_URL']
  if (given !== undefined && given !== '') return { url: given, [Symbol.asyncDispose]: async () => {} }
  const dir = tempDir('postgres')
  try {
    const server = await startEmbeddedPostgres({
      dataDir: join(dir.path, 'postgres'),
      port: await freePort(),
      durable: false,
    })
    return {
      url: server.url,
      [Symbol.asyncDispose]: async () => {
        await server[Symbol.asyncDispose]()
        dir[Symbol.dispose]()
      },
    }
  } catch (error) {
    dir[Symbol.dispose]()
    throw error
  }
}

async function admin(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
