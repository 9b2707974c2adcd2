/** Thrown when an embedded server (PostgreSQL, NATS) cannot be installed, started or stopped; the message says what to do. */
export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError'
}
