import { join, resolve } from 'node:path'

/** Cache folder of built and installed programs: `.stampede/tools` of the checkout. */
export const toolsDir: string = resolve(import.meta.dirname, '../../../.stampede/tools')

/** Cache folder of the peers: their packages are no dependencies of ours. */
export const peersDir: string = join(toolsDir, 'bench-peers')
