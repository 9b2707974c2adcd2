import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** A metric. Labels are bounded sets: a brand is allowed, a member never. */
export interface MetricOptions<L extends string> {
  /** `<what>_<unit>`, such as `push_latency_seconds`; `stampede_<service>_` is put in front. */
  readonly name: string
  /** One sentence for the reader of a dashboard. */
  readonly help: string
  /** Names of labels; default none. */
  readonly labels?: readonly L[]
}

/** A histogram, with its upper bounds in the metric's unit. */
export interface HistogramOptions<L extends string> extends MetricOptions<L> {
  readonly buckets: readonly number[]
}

/** The metrics of one service. Asking twice for a name gives the same metric. */
export interface Metrics {
  counter<L extends string = never>(options: MetricOptions<L>): Counter<L>
  gauge<L extends string = never>(options: MetricOptions<L>): Gauge<L>
  histogram<L extends string = never>(options: HistogramOptions<L>): Histogram<L>
  /** What /metrics prints. */
  readonly registry: Registry
}

/** Creates the metrics of a service, those of the Node process included. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const prefix = `stampede_${service.replaceAll('-', '_')}_`

  function base<L extends string>({ name, help, labels = [] }: MetricOptions<L>) {
    const full = name.startsWith(prefix) ? name : `${prefix}${name}`
    return { name: full, help, labelNames: [...labels], registers: [registry] }
  }

  return {
    registry,
    counter: (options) => {
      const { name, ...rest } = base(options)
      const known = registry.getSingleMetric(name)
      return known instanceof Counter ? known : new Counter({ name, ...rest })
    },
    gauge: (options) => {
      const { name, ...rest } = base(options)
      const known = registry.getSingleMetric(name)
      return known instanceof Gauge ? known : new Gauge({ name, ...rest })
    },
    histogram: (options) => {
      const { name, ...rest } = base(options)
      const known = registry.getSingleMetric(name)
      return known instanceof Histogram ? known : new Histogram({ name, ...rest, buckets: [...options.buckets] })
    },
  }
}
