import type { IncomingMessage } from 'node:http'
import type { Context } from '../context.ts'
import { type Answer, empty, tooMany } from './answer.ts'
import { MAX_LOG_BYTES, readJson } from './request.ts'

/** Lines of one request that are looked at. */
const MAX_LINES = 20
/** Characters of a line that are kept. */
const MAX_LINE_CHARS = 500
/** Requests per second that are read at all: anybody can send them, and reading costs. */
const MAX_REQUESTS_PER_SECOND = 100
/** Lines per second that are kept; the others are only counted. */
const MAX_LINES_PER_SECOND = 50
/** Control characters: a line of a phone must not look like several of ours. */
const control = /\p{Cc}/gu

/** POST of a phone's own words on what went wrong. Anybody can write here: little is kept. */
export async function postLog(context: Context, request: IncomingMessage): Promise<Answer> {
  if (!context.limits.logRequests.take(performance.now(), MAX_REQUESTS_PER_SECOND)) return tooMany()
  const body = await readJson(request, MAX_LOG_BYTES)
  if (!body.ok) return empty(body.status)
  const sent = linesOf(body.value)
  if (sent === undefined) return empty(400)
  for (const line of sent.slice(0, MAX_LINES)) {
    if (!context.limits.logLines.take(performance.now(), MAX_LINES_PER_SECOND)) break
    context.logger.warn({ line: line.slice(0, MAX_LINE_CHARS).replace(control, ' ') }, 'a phone reports')
  }
  context.meters.phoneLogs.inc(sent.length)
  return empty(200)
}

function linesOf(body: unknown): readonly string[] | undefined {
  if (typeof body !== 'object' || body === null || !('logs' in body) || !Array.isArray(body.logs)) return undefined
  return body.logs.filter((line): line is string => typeof line === 'string')
}
