/** The signing loop and its design, for benchmarks of what is built on this package. */
export { runSubject, type SubjectResult } from './run.ts'
export { images } from './sample.ts'
