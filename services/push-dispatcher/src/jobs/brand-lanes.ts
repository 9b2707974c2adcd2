import type { Lane } from '../apns/transport.ts'
import { type LaneParts, startLane } from './lane.ts'

const lanes: readonly Lane[] = ['tx', 'bulk']

/** Runs both lanes of every brand in the directory, new ones included; disposing ends them all. */
export function startBrandLanes(parts: LaneParts): AsyncDisposable {
  const running = new Map<string, readonly AsyncDisposable[]>()
  const ending = new Set<Promise<unknown>>()
  const follow = (brand: string) => {
    if (!running.has(brand))
      running.set(
        brand,
        lanes.map((lane) => startLane(brand, lane, parts)),
      )
  }
  const end = (brand: string) => {
    const started = running.get(brand)
    if (started === undefined) return
    running.delete(brand)
    const ended = Promise.all(started.map((lane) => lane[Symbol.asyncDispose]())).finally(() => ending.delete(ended))
    ending.add(ended)
  }
  for (const { brand } of parts.brands.list()) follow(brand)
  parts.brands.onChange((brand, info) => {
    if (info === undefined) end(brand)
    else follow(brand)
  })
  return {
    [Symbol.asyncDispose]: async () => {
      for (const brand of [...running.keys()]) end(brand)
      await Promise.all(ending)
    },
  }
}
