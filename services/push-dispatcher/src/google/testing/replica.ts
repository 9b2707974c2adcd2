import { type BrandInfo, type CampaignControl, connectNats, type GoogleCredential } from '@stampede/platform'
import { testParts } from '@stampede/platform/testing'
import { type GoogleConfig, type GoogleOptions, startGoogle } from '../index.ts'

/** What a replica needs to know of the world; all of it can be written as JSON but for the maps, which may change. */
export interface ReplicaWorld {
  readonly config: GoogleConfig
  readonly infos: ReadonlyMap<string, BrandInfo>
  readonly accounts: ReadonlyMap<string, GoogleCredential>
  readonly controls: ReadonlyMap<string, CampaignControl>
}

/** Options of a replica that looks its brands, accounts and controls up in the maps. */
export function replicaOptions({ config, infos, accounts, controls }: ReplicaWorld): Omit<GoogleOptions, 'nats'> {
  const common = { onChange: () => {}, [Symbol.asyncDispose]: async () => {} }
  return {
    brands: { get: (brand) => infos.get(brand), list: () => [...infos.values()], ...common },
    credentials: { apple: () => undefined, google: (brand) => accounts.get(brand), ...common },
    control: { get: (_brand, campaignId) => controls.get(campaignId), ...common },
    config,
    ...testParts('push-dispatcher'),
  }
}

/** The world of a replica in another process, as its argument. */
export function worldArgument(natsUrl: string, { config, infos, accounts }: ReplicaWorld): string {
  return JSON.stringify({ natsUrl, config, infos: [...infos], accounts: [...accounts] })
}

// As a process of its own, which can be killed.
if (import.meta.main) {
  const { natsUrl, config, infos, accounts } = JSON.parse(process.argv[2] ?? '{}')
  const nats = await connectNats({ url: natsUrl, name: 'replica', logger: testParts().logger })
  const world = { config, infos: new Map(infos), accounts: new Map(accounts), controls: new Map() } as ReplicaWorld
  await startGoogle({ nats, ...replicaOptions(world) })
}
