import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { passesPerRow, uuidv7 } from '@stampede/platform'
import { until } from '@stampede/platform/testing'
import { CampaignRig, type HandedOut } from './testing/campaign-rig.ts'

const options = { timeout: 120_000 }
/** A killed process' chunks come again after ten seconds. */
const REDELIVERY_MS = 60_000
/** Passes with phones: the first row has three parts, the second one, the third none. */
const [IN_FIRST, IN_SECOND] = [2_500, 40]
const ROWS = 3
let rig: CampaignRig

before(async () => {
  rig = await CampaignRig.start()
  await rig.addPasses(0, IN_FIRST)
  await rig.addPasses(passesPerRow, IN_SECOND)
})
after(() => rig[Symbol.asyncDispose]())

/** Ids of parts, and the passes whose phones they wake. */
function summary({ chunks, empty }: HandedOut) {
  const ids = chunks.map(({ chunkId }) => withoutCampaign(chunkId)).toSorted()
  const nos = chunks.flatMap(({ passNo }) => passNo.map(Number)).toSorted((a, b) => a - b)
  return { ids, empty: empty.map(withoutCampaign).toSorted(), nos }
}

const allNos = [
  ...Array.from({ length: IN_FIRST }, (_, no) => no),
  ...Array.from({ length: IN_SECOND }, (_, index) => passesPerRow + index),
]
const whole = { ids: ['0/0of3', '0/1of3', '0/2of3', '1/0of1'], empty: ['2/0of0'], nos: allNos }

describe('a process that is killed while it hands out a campaign', () => {
  it(
    'after the passes were bumped and before a phone was read: nobody is lost and no part comes twice',
    options,
    async () => {
      const campaignId = uuidv7()
      await rig.database.transaction(async (tx) => {
        await tx.query('LOCK TABLE registration IN ACCESS EXCLUSIVE MODE')
        await rig.run()
        await rig.release(campaignId, 1n, ROWS)
        await until('passes are bumped', async () => (await bumped(campaignId)) > 0)
        await until('it waits for the phones', isWaiting)
        await rig.kill()
      })
      assert.equal(await rig.parts(), 0)
      await rig.run()
      await until('it was handed out', () => rig.isDone(), REDELIVERY_MS)
      assert.deepEqual(summary(await rig.takeAll()), whole)
      await rig.kill()
    },
  )

  it(
    'after the parts were put on the stream and before it said so: the same parts are made again',
    options,
    async () => {
      // Whoever says that a row was handed out waits for the test.
      await rig.database.query(`CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN new; END $$`)
      await rig.database.query(
        'CREATE TRIGGER wait_for_test BEFORE UPDATE OF handed_at ON bump FOR EACH ROW EXECUTE FUNCTION wait_for_test()',
      )
      const campaignId = uuidv7()
      await rig.database.transaction(async (tx) => {
        await tx.query('SELECT pg_advisory_xact_lock(7)')
        await rig.run()
        await rig.release(campaignId, 2n, ROWS)
        await until('the parts of the first row are on the stream', async () => (await rig.parts()) >= 3)
        await until('it is about to say so', isWaiting)
        await rig.kill()
      })
      // Phones come and go; the parts stay the same passes.
      await rig.database.query('DELETE FROM registration WHERE no >= 1000 AND no < 2000')
      await rig.addPasses(IN_FIRST, 1_000)
      await rig.run()
      await until('it was handed out', () => rig.isDone(), REDELIVERY_MS)
      const rows = await rig.database.query('SELECT 1 FROM bump WHERE handed_at IS NULL')
      assert.equal(rows.length, 0)
      const handed = summary(await rig.takeAll())
      assert.deepEqual(handed, { ...whole, empty: ['0/1of3', '2/0of0'] }, 'the part that holds nobody now is a result')
    },
  )
})

async function bumped(campaignId: string): Promise<number> {
  return (await rig.database.query('SELECT 1 FROM bump WHERE message_id = $1', [campaignId])).length
}

async function isWaiting(): Promise<boolean> {
  const rows = await rig.database.query(
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  )
  return rows.length > 0
}

function withoutCampaign(chunkId: string): string {
  return chunkId.slice(chunkId.indexOf('/') + 1)
}
