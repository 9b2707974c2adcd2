import type { ServiceModule } from '@stampede/platform'

const names = ['enrollment', 'ledger', 'pass-render', 'geo', 'campaigns', 'push-dispatcher', 'analytics'] as const

/** Services by their names, separated by commas; undefined, after a line on stderr, when one is unknown. */
export async function loadServices(command: string, text = ''): Promise<readonly ServiceModule[] | undefined> {
  const wanted = text.split(',')
  const unknown = wanted.filter((name) => !names.some((known) => known === name))
  if (unknown.length === 0) return Promise.all(wanted.map(loadService))
  console.error(`${command}: unknown name "${unknown.join(', ')}"; one or more of ${names.join(',')}`)
  return undefined
}

async function loadService(name: string): Promise<ServiceModule> {
  const module: { readonly service: ServiceModule } = await import(`../../services/${name}/src/index.ts`)
  return module.service
}
