// npm run write -w charts: writes what is generated and kept: the schema of the values, the dashboards, the golden renders.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dashboardFiles } from './dashboards/index.ts'
import { goldenText } from './golden.ts'
import { chartDir, findHelm, installations, render, root } from './testing/helm.ts'
import { valuesSchema } from './values-schema.ts'

const values = readFileSync(join(chartDir, 'values.yaml'), 'utf8')
writeFileSync(join(chartDir, 'values.schema.json'), `${JSON.stringify(valuesSchema(values), null, 2)}\n`)

const dashboardsDir = join(chartDir, 'dashboards')
mkdirSync(dashboardsDir, { recursive: true })
for (const [name, text] of dashboardFiles()) writeFileSync(join(dashboardsDir, name), text)

const helm = findHelm()
if (helm === undefined) {
  process.exitCode = 1
} else {
  const folder = join(root, 'charts', 'golden')
  mkdirSync(folder, { recursive: true })
  for (const [name, files] of Object.entries(installations))
    writeFileSync(join(folder, `${name}.yaml`), goldenText(render(helm, files)))
}
