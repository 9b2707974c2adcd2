import { type PreparedAssets, prepareAssets } from '@stampede/pkpass'
import type { Sql } from '@stampede/platform'
import type { Template } from '@stampede/proto/templates/v1'
import { type Design, parseDesign } from './domain/design.ts'
import { languagesOf } from './domain/translated.ts'
import { findTemplate } from './store/templates.ts'

/** Designs kept in memory; each holds its images, a few hundred kilobytes. */
const MAX_DESIGNS = 64

/** A template version ready to render with. */
export interface ReadyDesign {
  readonly design: Design
  readonly assets: PreparedAssets
  readonly template: Template
}

/** Template versions by brand, loaded when first asked for. Versions never change, so entries never go stale. */
export class Designs {
  readonly #sql: Sql
  readonly #ready = new Map<string, Promise<ReadyDesign | undefined>>()

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** The version; undefined for version 0, which is a template that was never published. */
  async get(brand: string, templateId: string, version: number): Promise<ReadyDesign | undefined> {
    if (version === 0) return undefined
    const key = `${brand}/${templateId}/${version}`
    const known = this.#ready.get(key)
    if (known !== undefined) {
      this.#ready.delete(key)
      this.#ready.set(key, known)
      return await known
    }
    const loading = this.#load(brand, templateId, version)
    this.#ready.set(key, loading)
    const oldest = this.#ready.keys().next().value
    if (this.#ready.size > MAX_DESIGNS && oldest !== undefined) this.#ready.delete(oldest)
    try {
      const ready = await loading
      // A version that is not there may be about to be committed.
      if (ready === undefined) this.#ready.delete(key)
      return ready
    } catch (error) {
      this.#ready.delete(key)
      throw error
    }
  }

  async #load(brand: string, templateId: string, version: number): Promise<ReadyDesign | undefined> {
    const row = await findTemplate(this.#sql, brand, templateId, version)
    if (row === undefined) return undefined
    const parsed = parseDesign(row.template)
    if (!parsed.ok)
      throw new Error(
        `stored template ${brand}/${templateId}/${version}: ${parsed.faults[0].field} ${parsed.faults[0].reason}`,
      )
    return {
      design: parsed.design,
      assets: prepareAssets(row.template.images, languagesOf(row.template)),
      template: row.template,
    }
  }
}
