import { credentialShard } from '@stampede/platform'
import type { Context } from '../context.ts'
import type { Brand } from '../crd/brand.ts'
import { header, type SecretObject, secrets } from '../kernel/index.ts'
import type { StoredKey } from './key-secrets.ts'
import { condition, type PartOutcome } from './part.ts'

/** What pods read, besides what is in the Secret of the shard already. */
export interface Credentials {
  readonly apple: StoredKey | undefined
  /** The service account's JSON, once it has been checked. */
  readonly googleJson: string | undefined
}

/**
 * Writes a brand's entries into the Secret of its shard, after everything else: `<brand>.apple.pem` and
 * `<brand>.google.json`, as packages/platform reads them. Each brand applies as a field manager of its own, so that
 * brands of one Secret do not touch each other, in whatever order they write.
 */
export async function publishPart(context: Context, brand: Brand, credentials: Credentials): Promise<PartOutcome> {
  const data = entriesOf(brand, credentials)
  if (data === undefined) {
    const message = 'there is no certificate to publish'
    return { conditions: [condition('Published', 'False', 'NothingToPublish', message)] }
  }
  const secret = await context.storeOf(brand.metadata.name).apply(secrets, shardSecret(context, brand, data))
  const message = `${Object.keys(data).join(' and ')} in Secret ${secret.metadata.name}`
  return { conditions: [condition('Published', 'True', 'Published', message)] }
}

/** Takes a brand's entries out of the Secret of its shard. */
export async function unpublish(context: Context, brand: Brand): Promise<void> {
  await context.storeOf(brand.metadata.name).apply(secrets, shardSecret(context, brand, {}))
}

/** undefined: nothing is to be written. */
function entriesOf(
  { metadata, status }: Brand,
  { apple, googleJson }: Credentials,
): Readonly<Record<string, string>> | undefined {
  const { name } = metadata
  const google = googleJson === undefined ? {} : { [`${name}.google.json`]: encode(googleJson) }
  if (apple?.certPem !== undefined && apple.wwdrPem !== undefined)
    return { [`${name}.apple.pem`]: encode(`${apple.certPem}${apple.wwdrPem}${apple.keyPem}`), ...google }
  // A certificate that was published and whose Secret is gone goes on in the shard: to take it away would stop passes.
  return status?.certificate !== undefined || googleJson === undefined ? undefined : google
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}

function shardSecret(context: Context, brand: Brand, data: Readonly<Record<string, string>>): SecretObject {
  const number = credentialShard(brand.metadata.name).replace(/^shard-/, '')
  const metadata = { namespace: context.namespace, name: `${context.shardPrefix}-${number}` }
  return { ...header(secrets, metadata), data }
}
