import { createMetrics, type Metrics } from '@stampede/platform'
import { createKernelMetrics, type KernelMetrics } from '../kernel/metrics.ts'

/** Metrics of a kernel under test, and a way to read them. */
export interface TestKernelMetrics {
  readonly metrics: Metrics
  readonly kernel: KernelMetrics
  /** Sum of a metric's values whose labels hold all the given ones; 0 when there are none. */
  value(name: string, labels?: Readonly<Record<string, string>>): Promise<number>
}

/** Fresh metrics. */
export function testKernelMetrics(): TestKernelMetrics {
  const metrics = createMetrics('operator')
  return {
    metrics,
    kernel: createKernelMetrics(metrics),
    value: async (name, labels = {}) => {
      const found = await metrics.registry.getSingleMetric(`stampede_operator_${name}`)?.get()
      if (found === undefined) throw new Error(`there is no metric ${name}`)
      const rows = found.values.filter((row) =>
        Object.entries(labels).every(([label, value]) => row.labels[label] === value),
      )
      return rows.reduce((sum, { value }) => sum + value, 0)
    },
  }
}
