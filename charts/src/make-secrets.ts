// node charts/src/make-secrets.ts --postgres URL --nats URL --clickhouse URL [--sandbox HOST,...]: prints the Secrets
// of a new installation for kubectl apply.
import { parseArgs } from 'node:util'
import { stringify } from 'yaml'
import { makeSecrets } from './secrets.ts'

const string = { type: 'string' } as const
const { values } = parseArgs({ options: { postgres: string, nats: string, clickhouse: string, sandbox: string } })
const { postgres, nats, clickhouse, sandbox } = values
if (postgres === undefined || nats === undefined || clickhouse === undefined) {
  console.error('make-secrets: --postgres, --nats and --clickhouse are required')
  process.exitCode = 2
} else {
  const secrets = makeSecrets({ postgres, nats, clickhouse, sandboxHosts: sandbox?.split(',') })
  for (const one of secrets) process.stdout.write(`---\n${stringify(one)}`)
}
