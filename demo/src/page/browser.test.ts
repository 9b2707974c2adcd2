import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome']
const quiet = ['gpu', 'quic', 'background-networking', 'component-update', 'sync'].map((part) => `--disable-${part}`)
const storyDeadlineMs = 240_000
const stopDeadlineMs = 60_000
const stepDeadlineMs = 60_000

const executablePath = findBrowser()
const skip =
  executablePath === undefined && `LOUD SKIP: no browser on PATH (${names.join(', ')}); the page is not tested`
if (skip) console.error(skip)

function findBrowser(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A story told by a child process; disposing ends it as Ctrl-C does, and waits. */
async function tellStory(dataDir: string): Promise<{ readonly url: string } & AsyncDisposable> {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url))
  const args = [main, '--members', '60', '--live', '5', '--data-dir', dataDir]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const dispose = (): Promise<void> => stop(child)
  // Whatever ends this process, the story is not left behind.
  process.once('exit', () => child.kill('SIGINT'))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  const lines: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => lines.push(text))
  const url = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      const [, found] = /the same with pictures: (http:\S+)/.exec(line) ?? []
      if (found !== undefined) resolve(found)
    })
    const fail = (why: string): void => reject(new Error(`${why}:\n${lines.slice(-40).join('\n')}`))
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code) => fail(`the story ended with ${code}`))
    setTimeout(() => fail('the story is not told in time'), storyDeadlineMs).unref()
  })
  try {
    return { url: await url, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGINT')
  const hard = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs)
  await ended
  clearTimeout(hard)
  assert.equal(child.exitCode, 0, 'the story ends cleanly at Ctrl-C')
}

describe('the page in a browser', { skip, timeout: storyDeadlineMs + 2 * stopDeadlineMs + 4 * stepDeadlineMs }, () => {
  const stack = new AsyncDisposableStack()
  const troubles: string[] = []
  let page: Page

  before(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'stampede-page-'))
    stack.defer(() => rm(dataDir, { recursive: true, force: true }))
    const { url } = stack.use(await tellStory(dataDir))
    const browser: Browser = await chromium.launch({
      executablePath: executablePath ?? '',
      args: ['--no-sandbox', '--no-first-run', ...quiet],
    })
    stack.defer(() => browser.close())
    page = await browser.newPage({ viewport: { width: 1680, height: 1080 } })
    page.setDefaultTimeout(stepDeadlineMs)
    page.on('pageerror', ({ message }) => troubles.push(message))
    page.on('console', (message) => message.type() === 'error' && troubles.push(message.text()))
    await page.goto(url)
    await page.waitForSelector('body[data-ready=true][data-story=told]')
  })
  after(() => stack.disposeAsync())

  it('shows the figures that the story printed', async () => {
    const kpis = await textOf(page, '#kpis')
    assert.match(kpis, /members60cards on phones60/)
    assert.equal(await page.locator('#grid rect').count(), 25)
    const inGrid = await page.locator('#grid .members').allTextContents()
    const buyers = inGrid.reduce((sum, text) => sum + Number(text), 0)
    const bars = await page.locator('#segments li').evaluateAll((rows) => rows.map((row) => row.textContent ?? ''))
    const inBars = bars.filter((text) => !text.startsWith('Prospects')).map((text) => Number(/\d+$/.exec(text)?.[0]))
    assert.equal(
      inBars.reduce((sum, number) => sum + number, 0),
      buyers,
    )
    assert.match(await textOf(page, '#campaign-facts'), /losses0$/)
  })

  it('shows the card of the member that is picked by reference', async () => {
    const number = await pick(page, 'crm-0000042')
    assert.match(number, /^\d{16}$/)
    assert.match(await textOf(page, '#front .code'), new RegExp(number))
    await page.waitForFunction('[...document.images].every((image) => image.complete && image.naturalWidth > 0)')
  })

  it('says when nobody holds what is searched, and goes on with the next who does', async () => {
    await page.fill('#search', 'nobody')
    await page.locator('#who', { hasText: 'no card holds' }).waitFor()
    await pick(page, 'crm-0000007')
  })

  it('turns the card by keyboard, and only the side in sight can be reached', async () => {
    await page.locator('#flip').focus()
    await page.keyboard.press('Enter')
    assert.equal(await page.locator('#flip').getAttribute('aria-pressed'), 'true')
    await page.locator('#back').getByText('How it works').waitFor()
    assert.equal(await page.locator('#front').evaluate((side) => (side as unknown as { inert: boolean }).inert), true)
    await page.keyboard.press('Enter')
    await page.locator('#front .pass').waitFor()
  })

  it('sends a campaign whose composed text the picked phone shows', async () => {
    await pick(page, 'crm-0000011')
    const name = await textOf(page, '#front .rest .field:first-child dd')
    const points = await textOf(page, '#front .header dd')
    await page.fill('#text', 'Written in a browser: {name} has {points, plural, one {# point} other {# points}}')
    await page.selectOption('#composer select', 'all')
    await page.click('#composer button')
    const unit = points === '1' ? 'point' : 'points'
    const notice = page.locator('#lock .notice').first()
    await notice.getByText(`Written in a browser: ${name} has ${points} ${unit}`).waitFor()
    await page.locator('#composer output', { hasText: /^done: 60 of 60 accepted/ }).waitFor()
  })

  it('refuses a text that is no message, and says why', async () => {
    await page.fill('#text', 'Broken {points, plural')
    await page.click('#composer button')
    await page.locator('#composer output', { hasText: /text/i }).waitFor()
    troubles.splice(0, troubles.length, ...troubles.filter((trouble) => !trouble.includes('400')))
  })

  it('fits a small screen and logged no error', async () => {
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 844 })
      const scrollWidth = await page.evaluate<number>('document.documentElement.scrollWidth')
      assert.ok(scrollWidth <= width, `${scrollWidth} px wide on ${width}`)
    }
    assert.deepEqual(troubles, [])
  })
})

/** Picks a member and gives the card number that the front shows. */
async function pick(page: Page, reference: string): Promise<string> {
  await page.fill('#search', reference)
  await page.locator('#who', { hasText: reference }).waitFor()
  return textOf(page, '#front .rest .field:last-child dd')
}

async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).textContent()) ?? ''
}
