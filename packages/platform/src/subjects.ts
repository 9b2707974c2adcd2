import assert from 'node:assert/strict'

/** Streams of JetStream; the key is the name. */
export const streams = {
  EVENTS: 'EVENTS',
  PUSH_TX: 'PUSH_TX',
  PUSH_BULK: 'PUSH_BULK',
  PUSH_GOOGLE: 'PUSH_GOOGLE',
  PUSH_RESULT: 'PUSH_RESULT',
  DEAD: 'DEAD',
} as const

/** Key-value buckets of JetStream. */
export const buckets = {
  brands: 'brands',
  access: 'access',
  control: 'control',
  capacity: 'capacity',
  dispatchers: 'dispatchers',
  /** What the replicas that call Google share; its entries expire. */
  google: 'google',
} as const

/** Name of a stream. */
export type StreamName = keyof typeof streams

/** Name of a bucket. */
export type BucketName = keyof typeof buckets

const safeToken = /^[A-Za-z0-9_-]+$/

/**
 * A text as one token of a subject. Dots and wildcards structure subjects, so every character but letters, digits,
 * `-` and `_` becomes `=` and its UTF-8 bytes in hexadecimal; two texts never share a token.
 */
export function subjectToken(text: string): string {
  assert.ok(text.length > 0, 'a subject token is not empty')
  if (safeToken.test(text)) return text
  return text.replace(/[^A-Za-z0-9_-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `=${byte.toString(16).padStart(2, '0')}`).join(''),
  )
}

/** Subjects: the only place that knows their names. A brand is a slug; other parts may be any text. `*` stays a wildcard. */
export const subjects = {
  /** Accounts of members. */
  account: (brand: string) => `ledger.${part(brand)}.account`,
  /** Receipts as posted. */
  receipt: (brand: string) => `ledger.${part(brand)}.receipt`,
  /** Stamp cards of members. */
  stamps: (brand: string) => `ledger.${part(brand)}.stamps`,
  /** Orders of the reward catalogue. */
  order: (brand: string) => `ledger.${part(brand)}.order`,
  /** Coupons of members. */
  coupon: (brand: string) => `ledger.${part(brand)}.coupon`,
  /** Gift cards. */
  giftCard: (brand: string) => `ledger.${part(brand)}.giftcard`,
  /** Paid memberships. */
  subscription: (brand: string) => `ledger.${part(brand)}.subscription`,
  /** Prices of members' own. */
  memberPrice: (brand: string) => `ledger.${part(brand)}.price`,
  /** Members. */
  member: (brand: string) => `member.${part(brand)}.member`,
  /** Places that a member's pass carries. */
  relevance: (brand: string) => `geo.${part(brand)}.relevance`,
  /** Released chunks of a frozen audience. */
  chunk: (brand: string) => `campaign.${part(brand)}.chunk`,
  /** State of campaigns. */
  campaign: (brand: string) => `campaign.${part(brand)}.campaign`,
  /** Passes as issued. */
  pass: (brand: string) => `pass.${part(brand)}.pass`,
  /** Passes that phones took. */
  fetches: (brand: string) => `pass.${part(brand)}.fetches`,
  /** Transactional pushes. */
  pushTx: (brand: string) => `push.tx.${part(brand)}`,
  /** Pushes of campaigns. */
  pushBulk: (brand: string) => `push.bulk.${part(brand)}`,
  /** What became of pushes. */
  pushResult: (brand: string) => `push.result.${part(brand)}`,
  /** What became of Google's resources. */
  googleResult: (brand: string) => `push.google-result.${part(brand)}`,
  /** What became of Google's messages. */
  googleMessageResult: (brand: string) => `push.google-message-result.${part(brand)}`,
  /** Desired state of one Google resource. */
  google: (issuer: string, kind: string, id: string) => `push.google.${part(issuer)}.${part(kind)}.${part(id)}`,
  /** A message to a list of Google objects. */
  googleMessage: (issuer: string, id: string) => `push.google.${part(issuer)}.message.${part(id)}`,
  /** A message to all holders of a Google class: one call, so it never waits behind a list. */
  googleBroadcast: (issuer: string, id: string) => `push.google.${part(issuer)}.broadcast.${part(id)}`,
  /** Where a message goes that nobody could handle. */
  dead: (subject: string) => `dead.${subject}`,
  /** Directory entry of a brand. */
  brandKey: (brand: string) => `$KV.${buckets.brands}.${part(brand)}`,
  /** Directory entry of an API key, by its SHA-256 in hexadecimal. */
  accessKey: (hash: string) => `$KV.${buckets.access}.${part(hash)}`,
  /** Whether a campaign runs. */
  control: (brand: string, campaignId: string) => `$KV.${buckets.control}.${part(brand)}.${part(campaignId)}`,
  /** Capacity of one replica of pass-render. */
  capacity: (replica: string) => `$KV.${buckets.capacity}.${part(replica)}`,
  /** Sign of life of one replica of push-dispatcher. */
  dispatcher: (replica: string) => `$KV.${buckets.dispatchers}.${part(replica)}`,
} as const

/**
 * Whether only the newest message of the subject matters (a directory entry, a desired state). Such messages must
 * never overtake each other, and an older one may be left out.
 */
export function isLastWins(subject: string): boolean {
  return subject.startsWith('$KV.') || subject.startsWith('push.google.')
}

function part(text: string): string {
  return text === '*' ? text : subjectToken(text)
}
