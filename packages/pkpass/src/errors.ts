/** Why a bundle, a certificate or a pass.json was refused. */
export type PkpassErrorCode =
  | 'INVALID_PASS'
  | 'INVALID_IMAGE'
  | 'INVALID_CERTIFICATE'
  | 'INVALID_BUNDLE'
  | 'INVALID_SIGNATURE'
  | 'TOO_LARGE'

/** Thrown for input that Wallet would refuse; `path` names the wrong place, such as `storeCard.backFields[2].key`. */
export class PkpassError extends Error {
  override readonly name = 'PkpassError'
  readonly code: PkpassErrorCode
  /** Where the fault is: a JSON path, a file name or a certificate field. */
  readonly path: string

  constructor(code: PkpassErrorCode, path: string, message: string, options?: ErrorOptions) {
    super(`${path}: ${message}`, options)
    this.code = code
    this.path = path
  }
}
