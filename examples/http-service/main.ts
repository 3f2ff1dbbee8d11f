/**
 * The HTTP example: a service is started as a process of its own, used, ended by SIGTERM while a caller waits, and started again.
 * Thread: main. In → out: nothing → a short story on the console.
 *
 * Run it with `npm run example -- http-service`. `node dist/examples/http-service/server.js FOLDER` is the service alone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const store = await mkdtemp(join(tmpdir(), 'holdfast-http-'));
const SERVER = fileURLToPath(new URL('./server.js', import.meta.url));
let service: ChildProcess;
let address: string;

async function startService(): Promise<void> {
  const child = spawn(process.execPath, [SERVER, store], { stdio: ['ignore', 'pipe', 'inherit'] });
  service = child;
  for await (const line of createInterface(child.stdout)) {
    address = line.replace('listening on ', '');
    return;
  }
  throw new Error('the service did not start');
}

async function call(method: string, path: string, body?: object): Promise<string> {
  const init =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(address + path, { method, ...init });
  return `${method} ${path} → ${response.status} ${(await response.text()).replaceAll(/[\da-f-]{36}/g, '…')}`;
}
const show = async (...request: Parameters<typeof call>) => console.log(`  ${await call(...request)}`);

console.log('Orders');
await startService();
const pears = { item: 'pears', count: 3 };
await show('PUT', '/orders/1', pears);
await show('PUT', '/orders/1', pears); // As a client does who has not heard the first answer.
await show('PUT', '/orders/1', { item: 'plums', count: 1 });
await show('PUT', '/orders/2', { item: 'pears', count: 0 });
await show('GET', '/orders/1');
await show('GET', '/orders/3');
await show('GET', '/health/ready');

console.log('Somebody waits for the parcel while the service is ended');
const waiting = call('GET', '/orders/1/parcel');
await call('GET', '/orders/1');
const ended = once(service!, 'exit');
service!.kill('SIGTERM');
console.log(`  ${await waiting}`);
console.log(`  exit code ${(await ended)[0]}`);

console.log('The next process has the order');
await startService();
await show('POST', '/orders/1/approval', { by: 'Ada' });
await show('POST', '/orders/1/approval', { by: 'Ada' });
await show('GET', '/orders/1/parcel');
await show('POST', '/orders/1/approval', { by: 'Grace' });

console.log('Cancelled');
await show('PUT', '/orders/4', pears);
await show('DELETE', '/orders/4');
await show('GET', '/orders/4/parcel');
await show('DELETE', '/orders/4');

const endedAgain = once(service!, 'exit');
service!.kill('SIGTERM');
await endedAgain;
await rm(store, { recursive: true });
