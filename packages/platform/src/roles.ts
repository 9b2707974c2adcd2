/** Roles that an API key can have. */
export type Role = 'admin' | 'service' | 'brand_admin' | 'till' | 'support' | 'marketer'

const reads = [
  'analytics.reports.read',
  'campaigns.campaigns.read',
  'enrollment.brands.read',
  'enrollment.members.read',
  'geo.relevance.read',
  'geo.stores.read',
  'ledger.accounts.read',
  'ledger.adjustments.read',
  'ledger.money.read',
  'ledger.draws.read',
  'ledger.giftcards.read',
  'ledger.programme.read',
  'ledger.receipts.read',
  'ledger.referrals.read',
  'passes.passes.read',
  'passes.templates.read',
] as const

const writesOfBrand = [
  'analytics.snapshots.write',
  'campaigns.campaigns.write',
  'enrollment.keys.write',
  'enrollment.members.write',
  'geo.stores.write',
  'ledger.adjustments.write',
  'ledger.attributions.write',
  'ledger.donations.write',
  'ledger.draws.write',
  'ledger.giftcards.write',
  'ledger.holds.write',
  'ledger.money.write',
  'ledger.points.write',
  'ledger.programme.write',
  'ledger.receipts.write',
  'ledger.referrals.write',
  'ledger.subscriptions.write',
  'passes.cards.write',
  'passes.templates.write',
] as const

/**
 * The permissions of each role: the only such table. A permission is `<service>.<noun>.<read|write>`, declared by
 * the methods in the protos. Members' keys go to services alone, not even to the operator's root key.
 */
export const rolePermissions: Readonly<Record<Role, ReadonlySet<string>>> = {
  /** The operator's root key: all brands. */
  admin: new Set([...reads, ...writesOfBrand, 'analytics.audiences.read', 'enrollment.brands.write']),
  /** Our services among themselves: they read; what they write to each other goes through events. */
  service: new Set([...reads, 'analytics.audiences.read', 'analytics.snapshots.write', 'enrollment.memberkeys.read']),
  /** A brand's own administrator. */
  brand_admin: new Set([...reads, ...writesOfBrand]),
  /** A till or shop: enrols, earns, holds, pays, returns. */
  till: new Set([
    'enrollment.brands.read',
    'enrollment.members.read',
    'enrollment.members.write',
    'geo.stores.read',
    'ledger.accounts.read',
    'ledger.attributions.write',
    'ledger.donations.write',
    'ledger.holds.write',
    'ledger.programme.read',
    'ledger.receipts.read',
    'ledger.receipts.write',
    'passes.cards.write',
    'passes.passes.read',
  ]),
  /** A help desk: looks things up, changes nothing. */
  support: new Set(reads),
  /** Marketing: campaigns, reports and the card's look; no personal data. */
  marketer: new Set([
    'analytics.reports.read',
    'analytics.snapshots.write',
    'campaigns.campaigns.read',
    'campaigns.campaigns.write',
    'enrollment.brands.read',
    'geo.stores.read',
    'ledger.programme.read',
    'passes.templates.read',
    'passes.templates.write',
  ]),
}

/** Whether a text names a role. */
export function isRole(text: string): text is Role {
  return Object.hasOwn(rolePermissions, text)
}
