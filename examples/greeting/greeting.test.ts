/**
 * The greeting example, run as a newcomer runs it: what it prints comes of what the workflows did, in two processes.
 * Thread: the test's. In → out: the built main.js in a process of its own → its lines and its exit code.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createTestRuntime } from 'holdfast/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rejectionOf } from '../test-kit/rejection.test-kit.js';
import * as activities from './activities.js';
import { greetingServiceWorkflow, greetingWorkflow, type Language, setLanguage } from './workflows.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'holdfast-greeting-'));
let output = '';
let errors = '';
let exitCode: unknown;

beforeAll(async () => {
  const child = spawn(process.execPath, [MAIN], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  [output, errors, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The lines from the one that begins with `from` to the next blank one. */
function paragraph(from: string): string[] {
  const lines = output.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' '));
  const start = lines.findIndex((line) => line.startsWith(from));
  return lines.slice(start + 1, lines.indexOf('', start + 1));
}

test('it ends well and complains of nothing', () => {
  expect({ errors, exitCode }).toEqual({ errors: '', exitCode: 0 });
});

test('a workflow answers queries, rejects an update and accepts another', () => {
  expect(paragraph('greetingWorkflow: ').slice(1)).toEqual([
    'query get_languages { supportedOnly: false } → ["Arabic","Chinese","English","French","Hindi","Portuguese","Spanish"]',
    'query get_languages { supportedOnly: true } → ["Chinese","English"]',
    'query get_language → English',
    'update set_language French → rejected: French is not supported',
    'update set_language Chinese → accepted; the language before: English',
    'query get_language → Chinese',
  ]);
});

test('the other one asks a service, which may not know', () => {
  expect(paragraph('greetingServiceWorkflow: ').slice(1, -1)).toEqual([
    'update set_language Spanish → accepted; the language before: English',
    'update set_language Portuguese → accepted, then failed: Greeting service does not support Portuguese',
    "start update set_language Hindi → accepted as 'to-hindi'",
  ]);
});

test('the first process is killed, and nothing that it acknowledged is lost', () => {
  const pids = [...output.matchAll(/process \(pid (\d+)\)/g)].map(([, pid]) => pid);
  expect(new Set(pids).size).toBe(2);
  expect(output).toContain('The first process ended: SIGKILL');
  expect(paragraph('The second process')).toEqual([]);
  expect(output.split('The second process')[1]?.split('The history')[0]?.replaceAll(/ {2,}/g, ' ')).toContain(
    [
      ' query get_language → Chinese',
      " signal approve { name: 'Ada' } → acknowledged",
      ' result → 你好,世界',
      '',
      'greetingServiceWorkflow',
      " result of update 'to-hindi' → the language before: Spanish",
      " signal approve { name: 'Grace' } → acknowledged",
      ' result → नमस्ते दुनिया',
      ' query get_language, though it is closed → Hindi',
    ].join('\n'),
  );
});

test('what every object has is no language: the validator rejects it, and the service does not know it', async () => {
  await using runtime = await createTestRuntime({ workflows: new URL('./workflows.js', import.meta.url), activities });
  const client = runtime.client.workflow;
  const odd = { args: ['toString' as Language] as const };
  const greeting = await client.start(greetingWorkflow, { workflowId: 'prototype' });
  expect((await rejectionOf(greeting.executeUpdate(setLanguage, odd))).cause.message).toBe('toString is not supported');
  const service = await client.start(greetingServiceWorkflow, { workflowId: 'prototype-service' });
  expect((await rejectionOf(service.executeUpdate(setLanguage, odd))).cause.message).toBe(
    'Greeting service does not support toString',
  );
});

describe('the histories', () => {
  test('hold what was accepted before the kill and after it, and nothing of what was rejected', () => {
    expect(paragraph("The history of 'greeting'")).toEqual([
      '1 WorkflowExecutionStarted greetingWorkflow',
      '2 WorkflowExecutionUpdateAccepted set_language ["Chinese"]',
      '3 WorkflowExecutionUpdateCompleted result "English"',
      '4 WorkflowExecutionSignaled approve [{"name":"Ada"}]',
      '5 WorkflowExecutionCompleted result "你好,世界"',
    ]);
  });

  test('hold each activity once, also the one that the kill interrupted', () => {
    const events = paragraph("The history of 'greeting-with-service'");
    expect(events.filter((line) => line.includes(' ActivityTask'))).toEqual([
      '3 ActivityTaskScheduled callGreetingService ["Spanish"]',
      '4 ActivityTaskCompleted result "Hola mundo"',
      '7 ActivityTaskScheduled callGreetingService ["Portuguese"]',
      '8 ActivityTaskCompleted result undefined',
      '11 ActivityTaskScheduled callGreetingService ["Hindi"]',
      // The first attempt may have done its work: the one after the kill is the second.
      '12 ActivityTaskRetryScheduled attempt 2',
      '13 ActivityTaskCompleted result "नमस्ते दुनिया"',
    ]);
    expect(events.at(-1)).toBe('16 WorkflowExecutionCompleted result "नमस्ते दुनिया"');
  });
});
