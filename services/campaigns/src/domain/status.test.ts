import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CampaignAction, type CampaignStatus, nextStatus } from './status.ts'

const table: readonly (readonly [CampaignStatus, CampaignAction, string])[] = [
  ['draft', 'start', 'running'],
  ['draft', 'pause', 'refused'],
  ['draft', 'abort', 'aborted'],
  ['running', 'start', 'unchanged'],
  ['running', 'pause', 'paused'],
  ['running', 'abort', 'aborted'],
  ['paused', 'resume', 'running'],
  ['paused', 'pause', 'unchanged'],
  ['paused', 'start', 'refused'],
  ['aborted', 'resume', 'refused'],
  ['aborted', 'abort', 'unchanged'],
  ['done', 'abort', 'refused'],
  ['done', 'start', 'refused'],
]

for (const [status, action, expected] of table) {
  test(`${action} of a campaign that is ${status}: ${expected}`, () => {
    assert.equal(nextStatus(status, action), expected)
  })
}
