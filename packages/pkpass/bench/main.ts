import { canPin, runBench } from '@stampede/h2push/bench'
import { coresScenario } from './cores.ts'
import { memoryScenario } from './memory.ts'
import { oneCoreScenario } from './one-core.ts'

process.exitCode = await runBench({
  part: 'packages/pkpass',
  title: 'Signed passes',
  quick: 'fewer rounds, 300,000 instead of a million passes for memory',
  scenarios: [oneCoreScenario, coresScenario, memoryScenario],
  open: (base) => base,
  head: () => [
    'A member card with 60 kB of images and a pass.json of its own each time, validated, RSA-2048 and SHA-256, 32 on the way at once.',
    `Everything runs in processes of its own${canPin ? '' : ' (NOT PINNED: there is no taskset)'}, one after the other.`,
  ],
})
