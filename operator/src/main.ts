import { runServices } from '@stampede/platform'
import { service } from './index.ts'

await runServices([service])
