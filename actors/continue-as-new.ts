/**
 * What a workflow throws to continue as new, and what of it moves on.
 * Thread: worker. In → out: thrown by main or a signal handler → the closing command of its run.
 */
import type { CommandOf } from '../mailbox/commands.js';
import { NotAvailableInWorkflowError } from '../runtime/errors.js';

/** Ends the run that throws it, from main or a signal handler, and begins the next of its chain. Code that catches it must throw it on. */
export class ContinueAsNew extends Error {
  constructor(
    /** @internal */
    readonly command: Pick<
      CommandOf<'continueAsNew'>,
      'kind' | 'workflowType' | 'input' | 'memo' | 'options' | 'startDelay'
    >,
  ) {
    super('Workflow continued as new');
    this.name = 'ContinueAsNew';
  }
}

/** An update answers its caller, so its handler cannot be what ends the run. */
export function refusedInUpdate(updateName: string): NotAvailableInWorkflowError {
  return new NotAvailableInWorkflowError({
    name: `continueAsNew in the handler of update '${updateName}'`,
    hint: 'set a variable in the handler, let main await it with condition(), and continue as new from there',
  });
}
