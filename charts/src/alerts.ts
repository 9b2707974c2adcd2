import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

/** A rule as it stands in a file. */
export interface Rule {
  readonly file: string
  readonly expr: string
  /** Name of an alert. */
  readonly alert?: string
  /** Name of what is recorded. */
  readonly record?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Omit<Rule, 'file'>[] }[]
}

/** Folder of the chart's rules. */
export const alertsDir: string = fileURLToPath(new URL('../stampede/alerts', import.meta.url))

/** Files of the chart's rules, their whole paths. */
export function ruleFiles(): readonly string[] {
  return globSync('*.yaml', { cwd: alertsDir })
    .sort()
    .map((file) => join(alertsDir, file))
}

/** All rules of the chart. */
export function readRules(): readonly Rule[] {
  return ruleFiles().flatMap((file) => {
    const { groups }: RuleFile = parse(readFileSync(file, 'utf8'))
    return groups.flatMap(({ rules }) => rules.map((rule) => ({ ...rule, file: basename(file) })))
  })
}
