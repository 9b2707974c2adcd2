/** Why a tap failed. */
export type NfcErrorCode =
  /** The bytes are no message of the protocol. */
  | 'MALFORMED'
  /** The phone has no pass for this reader. */
  | 'NO_PASS'
  /** The pass was made for another reader's key. */
  | 'WRONG_KEY'
  /** The ciphertext or its tag was changed, or was meant for another pass type. */
  | 'NOT_AUTHENTIC'
  /** The phone does not believe that the reader is one of the issuer's. */
  | 'READER_REFUSED'

/** Thrown by phones and readers. */
export class NfcError extends Error {
  override readonly name = 'NfcError'
  readonly code: NfcErrorCode

  constructor(code: NfcErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
