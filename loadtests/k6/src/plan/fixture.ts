/** What the runner tells k6: one JSON file. Addresses are `host:port`. */
export interface Fixture {
  /** Name of this run, [a-z0-9-]; begins every key and number that it writes. */
  readonly run: string
  readonly scenario: ScenarioName
  readonly brand: string
  readonly scale: number
  readonly durationSeconds: number
  /** Latency limits are multiplied by this: 1 on a machine of its own, more on a shared one. */
  readonly slack: number
  /** Thresholds that replace those of the same metric, as k6 writes them. */
  readonly thresholds: Readonly<Record<string, readonly string[]>>
  readonly addresses: Addresses
  /** PEM of the authority that signed the servers' certificates. */
  readonly caPem: string
  readonly tillKey: string
  readonly marketerKey: string
  readonly stores: readonly string[]
  /** Folder of the protocol files. */
  readonly protoDir: string
  /** JSON file of the members' ids: one list of texts. */
  readonly membersFile: string
  /** JSON file of the phones that k6 plays: one list of Phone. */
  readonly phonesFile: string
  /** Where k6 writes its summary. */
  readonly summaryFile: string
}

/** Where the services listen. */
export interface Addresses {
  readonly ledger: string
  readonly campaigns: string
  /** JSON over HTTP: URLs without a slash at the end. */
  readonly enrollmentHttp: string
  readonly ledgerHttp: string
  readonly passesHttp: string
}

/** A phone that holds one card. */
export interface Phone {
  /** deviceLibraryIdentifier. */
  readonly device: string
  readonly passTypeId: string
  readonly serial: string
  readonly authToken: string
  /** Without a slash at the end. */
  readonly webServiceUrl: string
}

/** All scenarios. */
export const scenarioNames = [
  'till-day',
  'enrol-rush',
  'pull-back',
  'campaign',
  'black-friday',
  'soak',
  'spike',
  'break-point',
] as const

/** Name of a scenario. */
export type ScenarioName = (typeof scenarioNames)[number]

/** What a scenario is made of. */
export type Flow = 'till' | 'phone' | 'enrol' | 'campaign'
