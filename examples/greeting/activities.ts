/**
 * The greeting activities: work that may take time, fail, and touch the world; it runs outside the workflow, in the process's main thread.
 * Thread: embedding. In → out: a language → its greeting, if the service knows one.
 */
import { sleep } from 'holdfast/activity';
import type { Greetings, Language } from './workflows.js';

const KNOWN_TO_THE_SERVICE: Greetings = {
  Arabic: 'مرحبا بالعالم',
  Chinese: '你好,世界',
  English: 'Hello, world',
  French: 'Bonjour, monde',
  Hindi: 'नमस्ते दुनिया',
  Spanish: 'Hola mundo',
};

export async function callGreetingService(language: Language): Promise<string | undefined> {
  await sleep(200); // Pretend that this calls a remote service.
  return Object.hasOwn(KNOWN_TO_THE_SERVICE, language) ? KNOWN_TO_THE_SERVICE[language] : undefined;
}
