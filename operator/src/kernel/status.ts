import { isDeepStrictEqual } from 'node:util'
import type { KernelMetrics } from './metrics.ts'
import type { Resource } from './resource.ts'
import type { KubeStore, WithStatus } from './store.ts'

/** Writes the status of objects. */
export interface StatusWriter {
  /**
   * Writes a status when it differs from the one of `object`, which is the object that the reconcile read: throws
   * `conflict` when somebody wrote it since. Gives back the newest object.
   */
  write<T extends WithStatus>(resource: Resource<T>, object: T, status: NonNullable<T['status']>): Promise<T>
}

/** A writer that asks the server only when there is something to change: an idle reconcile must not wake itself. */
export function createStatusWriter(store: KubeStore, metrics: KernelMetrics): StatusWriter {
  return {
    write: async (resource, object, status) => {
      const isChanged = !isDeepStrictEqual(object.status ?? {}, status)
      metrics.statusWrites.inc({ resource: resource.plural, outcome: isChanged ? 'written' : 'unchanged' })
      return isChanged ? store.patchStatus(resource, { ...object, status }) : object
    },
  }
}
