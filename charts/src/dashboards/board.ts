import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

/** Units as Grafana names them. */
export type Unit = 'short' | 's' | 'percentunit' | 'cps' | 'dateTimeFromNow' | 'bytes'

/** What a dashboard draws as one picture. */
export interface PanelSpec {
  readonly title: string
  /** What it tells, and when to worry: for somebody who was just woken. */
  readonly description: string
  readonly unit: Unit
  /** PromQL by the legend; in a legend `{{label}}` stands for its value. */
  readonly queries: Readonly<Record<string, string>>
  /** Default `lines`; `number` shows the newest value. */
  readonly kind?: 'lines' | 'number'
  /** Whether nothing is drawn while all is well, or nothing goes on; default false. */
  readonly emptyWhenWell?: boolean
  /** Value from which on a number is red; default: never. */
  readonly redFrom?: number
}

/** A row of panels under a heading. */
export interface RowSpec {
  readonly title: string
  readonly panels: readonly PanelSpec[]
}

/** A dashboard. */
export interface BoardSpec {
  /** Also the name of its file. */
  readonly uid: string
  readonly title: string
  readonly description: string
  /** Metric whose brands can be chosen from; default: the board is not about brands. */
  readonly brandsOf?: string
  /** Whether several brands can be chosen; default true. */
  readonly severalBrands?: boolean
  readonly rows: readonly RowSpec[]
}

const columns = 24
const datasource = { type: 'prometheus', uid: '$datasource' }
const numberHeight = 4
const linesHeight = 8

/** Grafana's JSON of a dashboard. */
export function buildBoard(spec: BoardSpec): Dashboard {
  const board = new DashboardBuilder(`Stampede: ${spec.title}`)
    .uid(`stampede-${spec.uid}`)
    .description(spec.description)
    .tags(['stampede'])
    .timezone('browser')
    .refresh('30s')
    .time({ from: 'now-3h', to: 'now' })
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
  if (spec.brandsOf !== undefined) board.withVariable(brandVariable(spec.brandsOf, spec.severalBrands ?? true))
  for (const row of spec.rows) {
    board.withRow(new RowBuilder(row.title))
    for (const panel of row.panels) board.withPanel(buildPanel(panel, spanOf(panel, row.panels)))
  }
  return board.build()
}

function brandVariable(metric: string, several: boolean): QueryVariableBuilder {
  const variable = new QueryVariableBuilder('brand')
    .label('Brand')
    .datasource(datasource)
    .query(`label_values(${metric}, brand)`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .multi(several)
    .includeAll(several)
  return several ? variable.allValue('.*') : variable
}

/** Numbers of a row share its width; of lines two or three stand side by side. */
function spanOf(panel: PanelSpec, row: readonly PanelSpec[]): number {
  const alike = row.filter(({ kind }) => kind === panel.kind).length
  if (panel.kind === 'number') return Math.floor(columns / alike)
  return alike % 3 === 0 ? columns / 3 : columns / Math.min(2, alike)
}

function buildPanel(spec: PanelSpec, span: number): Builder<Panel> {
  const panel = spec.kind === 'number' ? numberPanel(spec) : linesPanel()
  panel.title(spec.title).description(spec.description).unit(spec.unit).datasource(datasource).span(span)
  for (const [index, [legend, expr]] of Object.entries(spec.queries).entries())
    panel.withTarget(queryOf(expr, legend, String.fromCharCode(65 + index), spec.kind === 'number'))
  return panel
}

function linesPanel(): TimeseriesBuilder {
  return new TimeseriesBuilder().height(linesHeight).min(0).fillOpacity(8)
}

function numberPanel({ redFrom }: PanelSpec): StatBuilder {
  const panel = new StatBuilder().height(numberHeight)
  if (redFrom === undefined) return panel
  const steps = [
    { value: null, color: 'green' },
    { value: redFrom, color: 'red' },
  ]
  return panel.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
}

function queryOf(expr: string, legend: string, refId: string, isInstant: boolean): DataqueryBuilder {
  const query = new DataqueryBuilder().refId(refId).expr(expr).legendFormat(legend).datasource(datasource)
  return isInstant ? query.instant() : query.range()
}
