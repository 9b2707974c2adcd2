/** One push that reached the APNs stand-in: `apns.ndjson`. */
export interface ApnsRow {
  /** Unix ms with fraction: when the answer was decided. */
  readonly at: number
  /** Device token, lower-case hex. */
  readonly token: string
  /** The topic asked for; the certificate's when none was. */
  readonly topic: string
  /** Pass type id of the client certificate; empty without one. */
  readonly certUid: string
  readonly status: number
  /** Apple's reason; absent when accepted. */
  readonly reason?: string
  readonly apnsId: string
}

/** What happened on a phone. */
export type PhoneEvent = 'install' | 'push' | 'list' | 'fetch' | 'show' | 'fail' | 'done' | 'remove'

/** A field that differs between what was shown before and now. */
export interface FieldChange {
  readonly key: string
  readonly label: string
  /** Null: the field was not there before. */
  readonly old: string | null
  readonly new: string
  /** Lock-screen text; empty when the field has no change message: the change is silent. */
  readonly text: string
}

interface PhoneRowBase {
  /** Unix ms with fraction. */
  readonly at: number
  /** The phone's name in the sandbox. */
  readonly phone: string
  readonly passTypeId: string
  /** Push token, lower-case hex. */
  readonly token: string
}

/** A pass was downloaded, verified and registered. */
export interface InstallRow extends PhoneRowBase {
  readonly event: 'install'
  readonly serial: string
  readonly url: string
  /** deviceLibraryIdentifier. */
  readonly device: string
  readonly webServiceUrl: string
  readonly authToken: string
}

/** APNs woke the phone. */
export interface PushRow extends PhoneRowBase {
  readonly event: 'push'
  /** True when a wake-up for the same pass type was still waiting. */
  readonly coalesced: boolean
}

/** The list of changed passes was answered. */
export interface ListRow extends PhoneRowBase {
  readonly event: 'list'
  readonly status: number
  readonly serials: readonly string[]
  readonly tag: string
  readonly ms: number
}

/** A pass was asked for. */
export interface FetchRow extends PhoneRowBase {
  readonly event: 'fetch'
  readonly serial: string
  readonly status: number
  /** Signature and everything else of the bundle verified; true for 304. */
  readonly ok: boolean
  readonly reason?: string
  readonly bytes: number
  readonly ms: number
}

/** What the phone shows after an installation or an update. */
export interface ShowRow extends PhoneRowBase {
  readonly event: 'show'
  readonly serial: string
  readonly changes: readonly FieldChange[]
  readonly fields: Readonly<Record<string, string>>
  readonly lastModified: string
  /** Place of the kept pass.json in `shown.bin`: offset and length. */
  readonly stored: readonly [offset: number, length: number]
  /** Names and hashes of the images kept under `images/`. */
  readonly images: Readonly<Record<string, string>>
}

/** Something did not work. */
export interface FailRow extends PhoneRowBase {
  readonly event: 'fail'
  readonly serial?: string
  readonly reason: string
  /** True when the phone waits for the next push instead of trying again. */
  readonly final: boolean
  /** When the visit began, if it was one. */
  readonly startedAt?: number
}

/** A visit ended with everything fetched: the phone keeps the tag. */
export interface DoneRow extends PhoneRowBase {
  readonly event: 'done'
  readonly tag: string
  /** When the visit began: pushes accepted before are answered by it. */
  readonly startedAt: number
}

/** A pass was deleted from the phone. */
export interface RemoveRow extends PhoneRowBase {
  readonly event: 'remove'
  readonly serial: string
  /** True: the web service was not told; only APNs knows. */
  readonly silently: boolean
}

/** One line of `phones.ndjson`. */
export type PhoneRow = InstallRow | PushRow | ListRow | FetchRow | ShowRow | FailRow | DoneRow | RemoveRow

/** One call to the Google stand-in: `google.ndjson`. */
export interface GoogleRow {
  /** Unix ms with fraction, by Google's clock: when the call arrived. */
  readonly at: number
  /** Issuer of the account that called the API; absent for tokens, save links and unknown accounts. */
  readonly issuer?: string
  readonly method: string
  /** Path without the query; a save link's token is cut off. */
  readonly path: string
  /** loyaltyClass, loyaltyObject, token or save. */
  readonly kind: string
  /** Resource id; for tokens the account. */
  readonly id: string
  readonly status: number
  readonly reason?: string
  /** The resource after a successful write. */
  readonly resource?: Readonly<Record<string, unknown>>
  /** Holders who got a notification from this call. */
  readonly notified?: number
  /** True when the call used up one notification of the resource. */
  readonly notifying?: boolean
}

/** One call to the App Store Connect stand-in: `appstore.ndjson`. */
export interface AppStoreRow {
  /** Unix ms with fraction. */
  readonly at: number
  /** Team of the key; absent when the call was not authenticated. */
  readonly teamId?: string
  readonly method: string
  /** Path with the query. */
  readonly path: string
  readonly status: number
  /** Apple's error code, when refused. */
  readonly code?: string
  /** What the call changed, whatever it was answered with. */
  readonly change?: AppStoreChange
}

/** A change of what App Store Connect holds. */
export type AppStoreChange =
  | { readonly kind: 'pass-type'; readonly id: string; readonly identifier: string; readonly name: string }
  | { readonly kind: 'pass-type-deleted'; readonly id: string }
  | {
      readonly kind: 'certificate'
      readonly id: string
      /** Resource id of its pass type id. */
      readonly passType: string
      readonly certificateType: string
      /** Base64 of the DER. */
      readonly content: string
    }
  | { readonly kind: 'certificate-revoked'; readonly id: string }
