import { availableParallelism } from 'node:os'
import { bind, canPin, makeCertificates, runBench } from '@stampede/h2push/bench'
import { campaignScenario } from './campaign.ts'
import { overloadScenario } from './overload.ts'
import { buildPhones } from './phones.ts'
import type { Context } from './scenarios.ts'
import { visitsScenario } from './visits.ts'
import { warmScenario } from './warm.ts'

process.exitCode = await runBench<Context>({
  part: 'services/pass-render',
  title: 'Phones that come back',
  quick: 'fewer and shorter runs',
  scenarios: [warmScenario, visitsScenario, overloadScenario, campaignScenario],
  open: (base, stack) => {
    const phones = buildPhones()
    if (!phones.ok) return { skipped: phones.reason }
    return { ...base, phonesPath: phones.path, certificates: stack.use(makeCertificates()) }
  },
  // Scenarios bind this process, and with it what they start.
  before: () => bind(process.pid, `0-${availableParallelism() - 1}`),
  head: () => [
    'The service is a process of its own on one core, all its threads included: TLS, HTTP, rendering and signing.',
    `PostgreSQL, nats-server, the phones and the harness share the other${canPin ? '' : ' (NOT PINNED: there is no taskset)'}.`,
    'Each pass is a member card with a balance, ten shops, a message of a campaign and 60 kB of images; RSA-2048, TLS 1.3 with',
    'an ECDSA P-256 certificate, no session resumed. Loopback: no packet is lost and no path is long.',
  ],
})
