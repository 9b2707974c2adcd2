import { resolve } from 'node:path'

/** Thrown when the environment does not configure the process; names every wrong variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** One variable of the environment: how it is read and shown. */
export interface Setting<T> {
  /** Name of the variable. */
  readonly env: string
  /** Never printed. */
  readonly secret: boolean
  /** Value of a set (non-empty) variable; throws an Error that says what is expected. */
  readonly parse: (raw: string) => T
  /** Value of an unset or empty variable; throws if there is none. */
  readonly missing: () => T
}

/** Settings by property name; what `readConfig` takes. */
export type SettingsShape = Readonly<Record<string, Setting<unknown>>>

/** The values that a shape yields. */
export type ConfigOf<S extends SettingsShape> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never
}

/** Limits and default of a whole number. */
export interface IntegerLimits {
  readonly min: number
  readonly max: number
  /** Without one the variable is required. */
  readonly default?: number
}

function setting<T>(env: string, fallback: T | undefined, parse: (raw: string) => T, secret = false): Setting<T> {
  const missing = (): T => {
    if (fallback === undefined) throw new Error('is required')
    return fallback
  }
  return { env, secret, parse, missing }
}

function parseInteger(raw: string, min: number, max: number): number {
  const value = Number(raw)
  if (!/^-?\d+$/.test(raw) || value < min || value > max)
    throw new Error(`must be a whole number from ${min} to ${max}`)
  return value
}

function parseFlag(raw: string): boolean {
  if (raw === 'true' || raw === '1') return true
  if (raw === 'false' || raw === '0') return false
  throw new Error('must be true or false')
}

function parseUrl(raw: string): string {
  for (const part of raw.split(',')) if (!URL.canParse(part)) throw new Error('must be a URL')
  return raw
}

/** The kinds of settings. Without a default a variable is required; an empty one counts as unset. */
export const settings = {
  /** Any text. */
  text: (env: string, fallback?: string): Setting<string> => setting(env, fallback, (raw) => raw),
  /** A text that is never printed. */
  secret: (env: string, fallback?: string): Setting<string> => setting(env, fallback, (raw) => raw, true),
  /** A whole number within limits. */
  integer: (env: string, limits: IntegerLimits): Setting<number> =>
    setting(env, limits.default, (raw) => parseInteger(raw, limits.min, limits.max)),
  /** A TCP port; 0 takes any free one. */
  port: (env: string, fallback: number): Setting<number> =>
    setting(env, fallback, (raw) => parseInteger(raw, 0, 65_535)),
  /** true, false, 1 or 0. */
  flag: (env: string, fallback: boolean): Setting<boolean> => setting(env, fallback, parseFlag),
  /** A URL, or several separated by commas; printed without its password. */
  url: (env: string, fallback?: string): Setting<string> => setting(env, fallback, parseUrl),
  /** A path, made absolute from the working directory. */
  path: (env: string, fallback?: string): Setting<string> =>
    setting(env, fallback === undefined ? undefined : resolve(fallback), (raw) => resolve(raw)),
  /** Makes any setting optional: undefined when unset. */
  optional: <T>(inner: Setting<T>): Setting<T | undefined> => ({ ...inner, missing: () => undefined }),
}

/** Reads and checks all settings. Throws a ConfigError that names every wrong variable. */
export function readConfig<S extends SettingsShape>(env: NodeJS.ProcessEnv, shape: S): ConfigOf<S> {
  const values: Record<string, unknown> = {}
  const problems: string[] = []
  for (const [name, one] of Object.entries(shape)) {
    const raw = env[one.env]
    try {
      values[name] = raw === undefined || raw === '' ? one.missing() : one.parse(raw)
    } catch (error) {
      problems.push(`${one.env} ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (problems.length > 0) throw new ConfigError(problems.join('; '))
  return values as ConfigOf<S>
}

/** The configuration by variable name, fit to be logged: secrets and passwords are replaced by ***. */
export function describeConfig<S extends SettingsShape>(shape: S, config: ConfigOf<S>): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const [name, one] of Object.entries(shape)) {
    const value: unknown = config[name]
    if (value === undefined) continue
    shown[one.env] = one.secret ? '***' : redactPassword(value)
  }
  return shown
}

function redactPassword(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/(:\/\/[^:@/\s]*):[^@/\s]*@/g, '$1:***@') : value
}
