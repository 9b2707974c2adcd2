import type { ServiceModule } from '@stampede/platform'
import { ownSchema, SERVICE_NAME, startPassRender } from './service.ts'

export type { RunningPassRender } from './service.ts'
export { startPassRender } from './service.ts'

/** Templates, pass state, signed passes and the PassKit web service. */
export const service: ServiceModule = { name: SERVICE_NAME, ownSchema, start: startPassRender }
