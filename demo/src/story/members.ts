import { setTimeout as delay } from 'node:timers/promises'
import type { StoryContext } from './context.ts'
import { chunksOf, inParallel, persist, waitUntil } from './patience.ts'
import { count } from './say.ts'

/** A member of the story. */
export interface StoryMember {
  readonly reference: string
  readonly memberId: string
  readonly cardNumber: string
}

/** A pass of the story. */
export interface StoryPass {
  readonly memberId: string
  readonly serial: string
  readonly no: number
  readonly appleUrl: string
  readonly googleSaveUrl: string
  readonly devices: number
}

const importSize = 500
const importWidth = 2
const installPatienceMs = 60_000
const tapAgainMs = 1_000

/** Enrols everybody of the history; a member who is there already is answered as before. */
export async function enrolMembers(context: StoryContext): Promise<ReadonlyMap<string, StoryMember>> {
  const { brand, clients, history, teller } = context
  const members = new Map<string, StoryMember>()
  const startedAt = performance.now()
  await inParallel(chunksOf(history.customers, importSize), importWidth, async (customers) => {
    const { results } = await persist('enrolling', () =>
      clients.enrollment.importMembers({
        brand,
        members: customers.map((customer) => ({
          idempotencyKey: `enrol/${customer.reference}`,
          member: { ...customer, email: '', phone: '', marketingConsent: true },
        })),
      }),
    )
    results.forEach(({ result }, index) => {
      const reference = customers[index]?.reference ?? ''
      if (result?.$case !== 'member') throw new Error(`enrolling ${reference}: ${result?.value.message ?? 'no answer'}`)
      const { memberId, cardNumber } = result.value
      members.set(reference, { reference, memberId, cardNumber })
    })
    teller.progress('enrolled', members.size, history.customers.length)
  })
  teller.progressEnd()
  const seconds = (performance.now() - startedAt) / 1000
  const [first] = members.values()
  teller.line(
    `${count(members.size)} members enrolled in ${seconds.toFixed(1)} s; a card number: ${first?.cardNumber ?? ''}`,
  )
  return members
}

/** Waits until every member has a pass, and gives them by member id. */
export async function awaitPasses(context: StoryContext, members: number): Promise<ReadonlyMap<string, StoryPass>> {
  const { brand, clients, teller } = context
  const passes = new Map<string, StoryPass>()
  let pageToken = ''
  await waitUntil(
    'passes for all members',
    300_000,
    async () => {
      const page = await clients.passes.listPasses({ brand, pageSize: 1_000, pageToken })
      for (const { no, ...pass } of page.passes) passes.set(pass.memberId, { ...pass, no: Number(no) })
      // The last page is asked again until its members are there.
      if (page.nextPageToken !== '') pageToken = page.nextPageToken
      teller.progress('passes', passes.size, members)
      return page.nextPageToken
    },
    (next) => next === '' && passes.size >= members,
  )
  teller.progressEnd()
  return passes
}

/** Sandbox phones install the passes that no phone holds yet. */
export async function installPasses(context: StoryContext, passes: ReadonlyMap<string, StoryPass>): Promise<void> {
  const { sandbox, teller } = context
  const waiting = [...passes.values()].filter(({ devices }) => devices === 0).map(({ appleUrl }) => appleUrl)
  if (waiting.length === 0) {
    teller.line('every card is on its phone already')
    return
  }
  const startedAt = performance.now()
  let installed = 0
  for (const urls of chunksOf(waiting, 1_000)) {
    await installAll(sandbox, urls, (done) => teller.progress('installed', installed + done, waiting.length))
    installed += urls.length
  }
  teller.progressEnd()
  const seconds = (performance.now() - startedAt) / 1000
  const rate = (installed / seconds).toFixed(0)
  teller.line(
    `${count(installed)} phones installed their card over TLS, verified its signature and registered: ${rate} per second`,
  )
}

/** A phone whose download failed, for instance while pass-render was started again, is tapped again. */
async function installAll(
  sandbox: StoryContext['sandbox'],
  urls: readonly string[],
  onDone: (installed: number) => void,
): Promise<void> {
  const deadline = Date.now() + installPatienceMs
  let waiting = urls
  for (;;) {
    const before = urls.length - waiting.length
    const failures = await persist('installing', () =>
      sandbox.install(waiting, ({ installed }) => onDone(before + installed)),
    )
    const [first] = failures
    if (first === undefined) return
    if (Date.now() > deadline) {
      throw new Error(`${failures.length} phones could not install; the first: ${first.url}: ${first.reason}`)
    }
    waiting = failures.map(({ url }) => url)
    await delay(tapAgainMs)
  }
}
