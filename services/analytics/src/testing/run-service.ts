import { service } from '../index.ts'

// A process of its own for tests that kill it: says so when it is ready, then runs until it is killed or told to stop.
const running = await service.start(process.env)
process.send?.(running.grpcPort)
process.once('disconnect', () => {
  void running[Symbol.asyncDispose]().then(() => process.exit(0))
})
