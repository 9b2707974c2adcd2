export { type BackoffOptions, backoffMs, reconcileBackoff } from './backoff.ts'
export { type Condition, type ConditionChange, type ConditionStatus, isTrue, mergeConditions } from './conditions.ts'
export {
  type Controller,
  type ControllerOptions,
  ownerKeys,
  type Reconcile,
  type ReconcileContext,
  type Source,
  startController,
  watchDependents,
  watchObjects,
} from './controller.ts'
export { isKubeError, KubeError, type KubeErrorCode } from './errors.ts'
export { createEventRecorder, type EventInput, type EventOptions, type EventRecorder } from './events.ts'
export {
  type Change,
  defaultInformerTimings,
  type Informer,
  type InformerOptions,
  type InformerTimings,
  startInformer,
} from './informer.ts'
export { defaultLeaseTimings, LeaseLostError, type LeaseTimings } from './lease.ts'
export { type ManagerEnd, type ManagerOptions, runManager } from './manager.ts'
export { createKernelMetrics, type KernelMetrics } from './metrics.ts'
export {
  type KubeObject,
  keyOf,
  nameOf,
  type ObjectMeta,
  type ObjectName,
  type OwnerReference,
  parseKey,
} from './object.ts'
export { PermanentError, type Reconciled, TemporaryError } from './outcome.ts'
export {
  apiVersionOf,
  type EventObject,
  header,
  type IngressObject,
  ingresses,
  type LeaseObject,
  leases,
  type Resource,
  type SecretObject,
  secrets,
} from './resource.ts'
export { type Scheduler, systemScheduler } from './scheduler.ts'
export { createStatusWriter, type StatusWriter } from './status.ts'
export {
  createStore,
  type DeletePreconditions,
  type KubeStore,
  type ListOptions,
  type ObjectList,
  type StoreOptions,
  type WithStatus,
} from './store.ts'
export { wholeSeconds } from './time.ts'
export { connectKube, type KubeTransport, type TransportOptions } from './transport.ts'
