/** A receipts file or its mapping that cannot be used; the message is one clear line for the person at the terminal. */
export class ReceiptsFileError extends Error {
  override readonly name = 'ReceiptsFileError'
}
