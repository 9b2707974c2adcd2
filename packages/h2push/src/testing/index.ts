export { Ledger } from './ledger.ts'
export { type Ending, nastyTemper, type Temper } from './nasty-peer.ts'
export { NastyServer, type NastyServerOptions } from './nasty-server.ts'
export { pushBlock, pushPath, pushTemplate, singleRequest } from './pushes.ts'
