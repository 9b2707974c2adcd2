import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folder of downloaded programs: `.stampede/tools` of the checkout. */
export const toolsDir: string = resolve(fileURLToPath(import.meta.url), '../../../../../.stampede/tools')
