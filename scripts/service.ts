// npm run service -- NAME[,NAME]: runs services in this process, configured by the environment alone.
import { runServices } from '@stampede/platform'
import { loadServices } from './lib/services.ts'

const services = await loadServices('service', process.argv[2])
if (services === undefined) process.exitCode = 2
else await runServices(services)
