// Preloaded into every child: when the parent is gone without a word, so is the child.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()
