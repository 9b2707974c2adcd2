import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashApiKey } from '@stampede/platform'
import { createAuthority } from '@stampede/sandbox'

/** Where the engines are; one user for all services. */
export interface SecretsOptions {
  readonly postgres: string
  readonly nats: string
  readonly clickhouse: string
  /** Names of the web service of passes, for a certificate under the sandbox's authority; undefined: no sandbox. */
  readonly sandboxHosts?: readonly string[] | undefined
}

/** A Secret to be applied. */
export interface SecretObject {
  readonly apiVersion: 'v1'
  readonly kind: 'Secret'
  readonly metadata: { readonly name: string }
  readonly type: string
  readonly stringData: Readonly<Record<string, string>>
}

const keyBytes = 32

/**
 * The Secrets that the chart names, with fresh keys, for a new installation. Made anew for one that has brands, they
 * would cut it off from its personal data.
 */
export function makeSecrets({ postgres, nats, clickhouse, sandboxHosts }: SecretsOptions): readonly SecretObject[] {
  const rootKey = `sk_${randomBytes(keyBytes).toString('base64url')}`
  const serviceKey = `sk_${randomBytes(keyBytes).toString('base64url')}`
  return [
    secret('stampede-access', {
      'root-key': rootKey,
      'root-key-sha256': hashApiKey(rootKey),
      'service-key': serviceKey,
      'service-key-sha256': hashApiKey(serviceKey),
    }),
    secret('stampede-enrollment', { 'master-key': randomBytes(keyBytes).toString('base64') }),
    secret('stampede-pass-render', { 'master-key': randomBytes(keyBytes).toString('base64') }),
    secret('stampede-postgres', { url: postgres }),
    secret('stampede-nats', { url: nats }),
    secret('stampede-clickhouse', { url: clickhouse }),
    ...(sandboxHosts === undefined ? [] : sandboxSecrets(sandboxHosts)),
  ]
}

function sandboxSecrets(hosts: readonly string[]): readonly SecretObject[] {
  const folder = mkdtempSync(join(tmpdir(), 'stampede-authority-'))
  try {
    const { certPem, keyPem } = createAuthority(folder).issueServerCertificate(hosts)
    const files = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const)
    return [
      secret('stampede-sandbox-authority', Object.fromEntries(files)),
      secret('stampede-web-tls', { 'tls.crt': certPem, 'tls.key': keyPem }, 'kubernetes.io/tls'),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function secret(name: string, stringData: Readonly<Record<string, string>>, type = 'Opaque'): SecretObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type, stringData }
}
