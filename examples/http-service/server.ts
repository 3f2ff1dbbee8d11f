/**
 * The service: a web server with a runtime in it, in one process, until it is asked to end.
 * Thread: main. In → out: the folder of the store (argument 1), PORT → HTTP; SIGTERM or SIGINT → everything closed in order.
 */
import { Runtime } from 'holdfast';
import * as activities from './activities.js';
import { createApp } from './app.js';

const workflows = new URL('./workflows.js', import.meta.url);
const runtime = await Runtime.create({ workflows, activities, store: process.argv[2] ?? './data', logger: 'warn' });
const closing = new AbortController();
const app = createApp(runtime, closing.signal);

async function end(): Promise<void> {
  if (closing.signal.aborted) return;
  closing.abort(); // Not ready any more: whoever balances the load sends nothing new.
  // Callers who wait for a parcel may wait for days: the closed runtime answers them, and they ask the next process.
  await runtime.shutdown();
  await app.close();
}
process.on('SIGTERM', end);
process.on('SIGINT', end);
// It has lost its store or its supervisor: better a new process than one that can only refuse.
runtime.events.once('failed', () => {
  process.exitCode = 1;
  void end();
});

const address = await app.listen({ port: Number(process.env['PORT'] ?? 0), host: '127.0.0.1' });
console.log(`listening on ${address}`);
