import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes in use, buffers included, after full garbage collections. */
export async function usedBytes(): Promise<number> {
  // Buffers are freed beside the collection that found them unused.
  for (let time = 0; time < 3; time += 1) {
    collect()
    await turn()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
