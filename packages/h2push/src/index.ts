export { defaultLimits, defaultTimings, type Limits, type Timings, type TlsIdentity } from './connection/options.ts'
export { H2PushError, type H2PushErrorCode } from './errors.ts'
export { type ConnectionCounts, Pool, type PoolEvents, type PoolOptions } from './pool/pool.ts'
export { BLOCK_REQUESTS_MAX, type BlockOptions, RequestBlock } from './request/block.ts'
export { type Header, type Outcome, OutcomeCode, type RequestOutcome, type Response } from './request/outcome.ts'
export { REQUEST_BODY_BYTES_MAX, type RequestOptions } from './request/single.ts'
export {
  REQUEST_HEADER_BYTES_MAX,
  RequestTemplate,
  TEMPLATE_BODY_BYTES_MAX,
  type TemplateOptions,
} from './request/template.ts'
