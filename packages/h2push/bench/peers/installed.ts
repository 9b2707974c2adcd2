import { createRequire } from 'node:module'
import { join } from 'node:path'
import { peersDir } from '../tools-dir.ts'

/** Where the peers' npm packages are installed. */
export const npmPeersDir: string = join(peersDir, 'npm')

/** `require` that finds the peers' npm packages, whatever version of the same the checkout has. */
export const requirePeer: NodeJS.Require = createRequire(join(npmPeersDir, 'package.json'))
