import type { IncomingMessage } from 'node:http'
import type { Context } from '../context.ts'
import { type Answer, empty } from './answer.ts'
import { MAX_LOG_BYTES, readJson } from './request.ts'

/** Lines of one request that are looked at. */
const MAX_LINES = 20
/** Characters of a line that are kept. */
const MAX_LINE_CHARS = 500

/** POST of a phone's own words on what went wrong. Anybody can write here: little is kept. */
export async function postLog(context: Context, request: IncomingMessage): Promise<Answer> {
  const body = await readJson(request, MAX_LOG_BYTES)
  if (!body.ok) return empty(body.status)
  const lines = linesOf(body.value)
  if (lines === undefined) return empty(400)
  for (const line of lines.slice(0, MAX_LINES)) {
    context.logger.warn({ line: line.slice(0, MAX_LINE_CHARS) }, 'a phone reports')
  }
  context.meters.phoneLogs.inc(lines.length)
  return empty(200)
}

function linesOf(body: unknown): readonly string[] | undefined {
  if (typeof body !== 'object' || body === null || !('logs' in body) || !Array.isArray(body.logs)) return undefined
  return body.logs.filter((line): line is string => typeof line === 'string')
}
