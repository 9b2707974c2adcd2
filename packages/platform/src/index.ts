export {
  type AccessDirectory,
  type Caller,
  configuredCallers,
  hashApiKey,
  parseAccessRecord,
  watchAccess,
} from './access.ts'
export { bitmapBytes, countBits, hasBit, passesPerRow, withBits, withoutBits } from './bitmap.ts'
export {
  type BrandDirectory,
  type BrandInfo,
  type BrandListener,
  expectBrand,
  parseBrandInfo,
  watchBrands,
} from './brands.ts'
export {
  checkBigint,
  checkBrand,
  checkIdempotencyKey,
  checkInt,
  checkList,
  checkPresent,
  checkText,
  checkUuid,
  IDEMPOTENCY_KEY_MAX,
  type ListLimits,
  type NumberLimits,
  type TextLimits,
} from './check.ts'
export { type ClickHouse, type ClickHouseOptions, openClickHouse } from './clickhouse.ts'
export { type Clock, systemClock } from './clock.ts'
export { type ByteColumn, ColumnWriter, type NumberColumn, type VarintColumn } from './column-writer.ts'
export {
  ConfigError,
  type ConfigOf,
  describeConfig,
  type IntegerLimits,
  readConfig,
  type Setting,
  type SettingsShape,
  settings,
} from './config.ts'
export { type Consumer, type ConsumerOptions, type Delivery, startConsumer } from './consumer.ts'
export { buryMessage } from './consumer-outcome.ts'
export {
  type AnswerCapacity,
  type CampaignControl,
  type CapacityDirectory,
  type ControlDirectory,
  type ControlListener,
  putCapacity,
  putControl,
  removeCapacity,
  removeControl,
  watchCapacity,
  watchControl,
} from './control.ts'
export {
  type AppleCredential,
  assertCredentialMatchesHost,
  credentialShard,
  type GoogleCredential,
  isAppleIssued,
  parseAppleCredential,
  parseGoogleCredential,
} from './credential-files.ts'
export { type Credentials, type CredentialsOptions, openCredentials } from './credentials.ts'
export {
  connectDatabase,
  type Database,
  type DatabaseOptions,
  type NamedStatement,
  openDatabase,
  type Sql,
} from './database.ts'
export {
  type DeadLetter,
  type DeadLetterFilter,
  discardDeadLetters,
  listDeadLetters,
  meterDeadLetters,
  type Replay,
  replayDeadLetters,
} from './dead-letters.ts'
export { EmbeddedError } from './embedded/embedded-error.ts'
export { freePort } from './embedded/free-port.ts'
export {
  logTail,
  type ManagedProcess,
  type ManagedProcessOptions,
  type StopStep,
  startProcess,
} from './embedded/managed-process.ts'
export { type EmbeddedNats, type EmbeddedNatsOptions, startEmbeddedNats } from './embedded/nats.ts'
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded/postgres.ts'
export {
  type ErrorCode,
  type ErrorDetails,
  type ErrorRow,
  errorTable,
  failedPrecondition,
  type ItemFailure,
  idempotencyConflict,
  invalidArgument,
  isErrorCode,
  itemError,
  notFound,
  StampedeError,
  unavailable,
} from './errors.ts'
export {
  type AggregateKind,
  claimInbox,
  decodeEvents,
  type EventInput,
  type EventPayload,
  makeEvent,
  newestPerAggregate,
} from './events.ts'
export { uuidv7 } from './ids.ts'
export { createLogger, type Logger } from './log.ts'
export {
  type Counter,
  createMetrics,
  type Gauge,
  type Histogram,
  type HistogramOptions,
  type MetricOptions,
  type Metrics,
} from './metrics.ts'
export { type MigrationOptions, migrate, type OwnSchema } from './migrations.ts'
export { connectNats, type Nats, type NatsOptions } from './nats.ts'
export { fromNats, isWrongLastSequence } from './nats-errors.ts'
export { type OutboxMessage, outboxMessagesMax, outboxPayloadBytesMax, writeOutbox } from './outbox.ts'
export { readOwner } from './pid-file.ts'
export { GOOGLE_USABLE_SHARE, type GoogleMessagePlan, planGoogleMessage } from './plan-google-message.ts'
export {
  describePlatformConfig,
  type LogLevel,
  type PlatformConfig,
  readPlatformConfig,
  type TlsFiles,
} from './platform-config.ts'
export { fromPostgres, violatedConstraint } from './postgres-errors.ts'
export { type Relay, type RelayOptions, startRelay } from './relay.ts'
export { isRole, type Role, rolePermissions } from './roles.ts'
export {
  type Binding,
  type BoundMethod,
  bind,
  type CallContext,
  type Handler,
  type Handlers,
  type RequestOf,
  type ResponseOf,
  type RpcDefinition,
  type RpcService,
} from './rpc/binding.ts'
export {
  type CallOptions,
  type ClientMethod,
  type ClientSettings,
  createClient,
  type ServiceClient,
} from './rpc/client.ts'
export { type Arrived, gather } from './rpc/gather.ts'
export { type RunningServer, type ServerOptions, startServer } from './rpc/server.ts'
export { type RunningServers, runningServers, serversFile } from './running-servers.ts'
export { openBytes, openSealed, SealError, seal, sealBytes, sealedAad } from './sealed.ts'
export { type RunningService, runServices, type ServiceModule } from './service.ts'
export {
  changeShared,
  readShared,
  type SharedChange,
  type SharedKey,
  type SharedRecord,
  writeShared,
} from './shared-record.ts'
export { capacityTtlMs, dispatcherTtlMs, ensureStreams } from './streams.ts'
export { type BucketName, buckets, isLastWins, type StreamName, streams, subjects, subjectToken } from './subjects.ts'
export { type SpanOptions, type TraceHeaders, traceHeaders, withSpan } from './tracing.ts'
export { type BucketListener, watchBucket } from './watch-bucket.ts'
