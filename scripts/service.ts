// npm run service -- NAME[,NAME]: runs services in this process, configured by the environment alone.
import { runServices, type ServiceModule } from '@stampede/platform'

const names = ['enrollment', 'ledger', 'pass-render', 'geo', 'campaigns', 'push-dispatcher', 'analytics'] as const

async function loadService(name: string): Promise<ServiceModule> {
  const module: { readonly service: ServiceModule } = await import(`../services/${name}/src/index.ts`)
  return module.service
}

async function main(): Promise<void> {
  const wanted = (process.argv[2] ?? '').split(',')
  const unknown = wanted.filter((name) => !names.some((known) => known === name))
  if (unknown.length > 0) {
    console.error(`service: unknown name "${unknown.join(', ')}"; one or more of ${names.join(',')}`)
    process.exitCode = 2
    return
  }
  await runServices(await Promise.all(wanted.map(loadService)))
}

await main()
