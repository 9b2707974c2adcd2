/**
 * A header block that cannot be decoded (RFC 7541). It ends the connection with COMPRESSION_ERROR (RFC 9113 section
 * 4.3): the tables of both sides differ from then on.
 */
export class HpackError extends Error {
  override readonly name = 'HpackError'
  readonly code = 'compression'
}
