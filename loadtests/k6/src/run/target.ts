import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Addresses } from '../plan/fixture.ts'

/** A platform under load, as its caller reaches it. */
export interface Target {
  readonly brand: string
  readonly addresses: Addresses & { readonly enrollment: string; readonly passes: string; readonly analytics: string }
  /** PEM file of the authority of the servers' certificates; undefined: gRPC without TLS, phones trust the system. */
  readonly caFile: string | undefined
  /** Key that may make keys, members and read passes: of an admin or of the brand's own admin. */
  readonly key: string
  /** Control port of the sandbox, a URL without a slash at the end; undefined where there is none. */
  readonly sandboxUrl: string | undefined
  /** Database that verify reads; undefined: nothing of the inside can be checked. */
  readonly postgresUrl: string | undefined
  /** Folder for journals and reports. */
  readonly dataDir: string
  /** Where the brand may be made by us: the folder of its credentials and that of the sandbox. */
  readonly home: { readonly credentials: string; readonly sandbox: string } | undefined
}

/** A target that cannot be used; one clear line. */
export class TargetError extends Error {
  override readonly name = 'TargetError'
}

type Ports = Readonly<Record<string, number>>

/** The platform that `npm start` runs on a data directory. */
export function localTarget(dataDir: string, postgresUrl: string): Target {
  const ports = readJson<Ports>(join(dataDir, 'run', 'ports.json'))
  const { rootKey } = readJson<{ readonly rootKey: string }>(join(dataDir, 'data', 'secrets.json'))
  const grpc = (name: string): string => `localhost:${ports[`${name}Grpc`]}`
  const http = (name: string): string => `http://127.0.0.1:${ports[`${name}Http`]}`
  return {
    brand: 'load',
    addresses: {
      enrollment: grpc('enrollment'),
      ledger: grpc('ledger'),
      passes: grpc('passRender'),
      campaigns: grpc('campaigns'),
      analytics: grpc('analytics'),
      enrollmentHttp: http('enrollment'),
      ledgerHttp: http('ledger'),
      passesHttp: http('passRender'),
    },
    caFile: join(dataDir, 'run', 'tls', 'ca.pem'),
    key: rootKey,
    sandboxUrl: `http://127.0.0.1:${ports['sandboxControl']}`,
    postgresUrl,
    dataDir,
    home: { credentials: join(dataDir, 'data', 'credentials'), sandbox: join(dataDir, 'data', 'sandbox') },
  }
}

/** What the file of --against says. Its brand must be there, with a certificate, a programme and a published card. */
interface TargetFile {
  readonly brand: string
  readonly addresses: Target['addresses']
  /** Relative to the file. */
  readonly caFile?: string
  readonly sandboxUrl?: string
}

const addressNames = [
  'enrollment',
  'ledger',
  'passes',
  'campaigns',
  'analytics',
  'enrollmentHttp',
  'ledgerHttp',
  'passesHttp',
] as const

/** A platform elsewhere. The key comes from STAMPEDE_LOAD_KEY, the database, if any, from STAMPEDE_POSTGRES_URL. Throws TargetError. */
export function remoteTarget(file: string, dataDir: string): Target {
  const { brand, addresses, caFile, sandboxUrl } = readJson<Partial<TargetFile>>(file)
  if (brand === undefined || brand === '') throw new TargetError(`${file}: brand: is missing`)
  const missing = addressNames.find((name) => typeof addresses?.[name] !== 'string')
  if (addresses === undefined || missing !== undefined)
    throw new TargetError(`${file}: addresses.${missing}: is missing`)
  const key = process.env['STAMPEDE_LOAD_KEY'] ?? ''
  if (key === '') throw new TargetError('STAMPEDE_LOAD_KEY: is missing; a key of the brand’s admin')
  return {
    brand,
    addresses,
    caFile: caFile === undefined ? undefined : resolve(dirname(file), caFile),
    key,
    sandboxUrl,
    postgresUrl: process.env['STAMPEDE_POSTGRES_URL'],
    dataDir,
    home: undefined,
  }
}

function readJson<T>(file: string): T {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch (error) {
    throw new TargetError(`${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
