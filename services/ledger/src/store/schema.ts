/** Schema of the ledger in PostgreSQL. */
export const schema = 'ledger'

/** Folder of the ledger's migrations. */
export const migrationsDir = new URL('./migrations/', import.meta.url)
