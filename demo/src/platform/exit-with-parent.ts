// Preloaded into every child: when the parent is gone without a word, so is the child, in good order or after this.
const graceMs = 10_000

process.on('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs).unref()
})
process.channel?.unref()
