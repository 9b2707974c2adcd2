import { verifyLedger } from '../verify.ts'
import { BRAND, member, saleOf, testLedger } from './ledger.ts'

const RECEIPTS = Number(process.env.N ?? 25_000),
  BATCH = 200,
  CONCURRENT = Number(process.argv[2] ?? 3)
await using ledger = await testLedger()
const { handlers, call } = ledger
const times = new Map<string, number>()
const original = ledger.database.transaction
ledger.database.transaction = (run) =>
  original((tx) =>
    run({
      query: async (t: any, v?: any) => {
        const at = performance.now()
        const r = await (tx as any).query(t, v)
        const n = typeof t === 'string' ? t.slice(0, 200) : t.name
        times.set(n, (times.get(n) ?? 0) + performance.now() - at)
        return r
      },
    } as any),
  )
console.log(await ledger.database.query('show fsync'), await ledger.database.query('show synchronous_commit'))
let rng = 42
const random = () => {
  rng = (rng * 1103515245 + 12345) & 0x7fffffff
  return rng / 0x7fffffff
}
const batches = Array.from({ length: RECEIPTS / BATCH }, (_, b) => ({
  brand: BRAND,
  items: Array.from({ length: BATCH }, (_, i) => {
    const n = b * BATCH + i
    return {
      item: {
        $case: 'sale' as const,
        value: saleOf(`m${Math.floor(random() * 4000)}`, String(n), {
          lines: Array.from({ length: 5 + Math.floor(random() * 25) }, (_, l) => ({
            sku: `SKU${l}${n % 977}`,
            quantity: 3n,
            amountMinor: BigInt(100 + l * 13),
            category: 'cat',
          })),
        }),
      },
    }
  }),
}))
const lines = batches.reduce((s, b) => s + b.items.reduce((t, i) => t + i.item.value.lines.length, 0), 0)
const started = performance.now()
const cpu = process.cpuUsage()
let next = 0,
  bad = 0
await Promise.all(
  Array.from({ length: CONCURRENT }, async () => {
    while (next < batches.length) {
      const b = batches[next++]
      if (!b) break
      const { results } = await handlers.postReceiptBatch(b, call)
      bad += results.filter((r) => r.result?.$case !== 'sale').length
    }
  }),
)
const s = (performance.now() - started) / 1000
const used = process.cpuUsage(cpu)
console.log({
  seconds: s,
  perSecond: RECEIPTS / s,
  lines,
  linesPerSecond: lines / s,
  bad,
  nodeCpu: (used.user + used.system) / 1e6,
  flushes: ledger.flushes.length,
})
for (const [n, t] of [...times].sort((a, b) => b[1] - a[1]).slice(0, 12)) console.log(n, Math.round(t))
times.clear()

import { readdirSync, readFileSync } from 'node:fs'

let pg = 0
for (const pid of readdirSync('/proc').filter((n) => /^\d+$/.test(n))) {
  try {
    const st = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const url = new URL(ledger.database.url)
    const name = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    if (name.startsWith('postgres: ') && name.includes(url.pathname.slice(1))) {
      const f = st.slice(st.lastIndexOf(')') + 2).split(' ')
      pg += (Number(f[11]) + Number(f[12])) / 100
    }
  } catch {}
}
console.log('pg cpu', pg)
setInterval(() => console.log([...times].sort((a, b) => b[1] - a[1]).slice(0, 2)), 5000).unref()
await original(async (tx) => { await tx.query('SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan')
await tx.query("PREPARE x (text[], text[], text[], date[], text[]) AS SELECT k.position, r.receipt_id, r.content_hash, i.response FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::text[]) WITH ORDINALITY k (brand, store_id, till_id, business_day, number, position) JOIN receipt r ON r.brand = k.brand AND r.store_id = k.store_id AND r.till_id = k.till_id AND r.business_day = k.business_day AND r.number = k.number AND r.kind = 'sale' LEFT JOIN idempotency i ON i.brand = r.brand AND i.key = r.idempotency_key")
for (const row of await tx.query("EXPLAIN EXECUTE x ('{demo}','{store}','{till}','{2026-11-20}','{nope}')")) console.log(row) })

const v = performance.now()
console.log(await verifyLedger(ledger.database), performance.now() - v)
const one = performance.now()
const lat: number[] = []
for (let i = 0; i < 200; i++) {
  const t = performance.now()
  await handlers.postReceipt(saleOf(`m${i}`, `one${i}`), call)
  lat.push(performance.now() - t)
}
lat.sort((a, b) => a - b)
console.log('single', { p50: lat[100], p99: lat[197] })
