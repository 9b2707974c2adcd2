import type { StoryContext } from './context.ts'
import type { StoryPass } from './members.ts'
import { persist, waitUntil } from './patience.ts'
import { count } from './say.ts'

/** Members who keep their card at Google, too: those whose objects are there first. */
const SAVERS = 20
const callbackPatienceMs = 60_000

/** Some members save their card at Google; its signed callbacks tell pass-render who they are. */
export async function saveAtGoogle(context: StoryContext, passes: ReadonlyMap<string, StoryPass>): Promise<void> {
  const { brand, clients, sandbox, teller } = context
  const savers = [...passes.values()].slice(0, SAVERS)
  const saved = await persist('saving at Google', () =>
    sandbox.saveToGoogle(savers.map(({ googleSaveUrl }) => googleSaveUrl)),
  )
  const known = await waitUntil(
    'Google’s callbacks',
    callbackPatienceMs,
    async () => {
      const answers = await Promise.all(savers.map(({ memberId }) => clients.passes.getPass({ brand, memberId })))
      return answers.filter(({ pass }) => pass?.googleSaved === true).length
    },
    (holders) => holders >= saved,
  )
  teller.line(`${count(saved)} members saved their card at Google; its signed callbacks named ${count(known)} holders`)
}
