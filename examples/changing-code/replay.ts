/**
 * What a build asks before it deploys: does the code fit the histories that were saved?
 * Thread: main. In → out: workflow file, folder of saved histories → what does not fit.
 */
import { readdir, readFile } from 'node:fs/promises';
import { runReplayHistories } from 'holdfast/testing';

export async function whatDoesNotFit(workflows: URL, folder: URL): Promise<Error[]> {
  async function* saved() {
    for (const name of await readdir(folder)) yield await readFile(new URL(name, folder), 'utf8');
  }
  const errors: Error[] = [];
  for await (const { error } of runReplayHistories({ workflows }, saved())) {
    if (error !== undefined) errors.push(error);
  }
  return errors;
}
