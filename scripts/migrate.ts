// npm run migrate -- NAME[,NAME]: brings the schemas of services to their newest state and ends. Services do so
// themselves when they start; before a rollout it is done apart, so that a long one holds up no pod.
import { ConfigError, createLogger, migrate, readPlatformConfig } from '@stampede/platform'
import { loadServices } from './lib/services.ts'

async function main(): Promise<number> {
  const services = await loadServices('migrate', process.argv[2])
  if (services === undefined) return 2
  const { postgresUrl, logLevel } = readPlatformConfig(process.env)
  for (const { name, ownSchema } of services) {
    if (ownSchema === undefined) {
      console.log(`migrate: ${name} owns no schema`)
      continue
    }
    await migrate({ url: postgresUrl, ...ownSchema, logger: createLogger(name, logLevel) })
    console.log(`migrate: schema ${ownSchema.schema} is up to date`)
  }
  return 0
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(`migrate: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = error instanceof ConfigError ? 2 : 1
  },
)
