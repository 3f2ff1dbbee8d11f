/**
 * What the workflow code asks Temporal's core for, activation by activation: told beside a refusal, for the core names one side only.
 * Thread: a worker's of Temporal. In → out: activations → lines through a sink.
 */
import { proxySinks, type Sinks, type WorkflowInterceptors } from '@temporalio/workflow';

interface ObservedSinks extends Sinks {
  readonly observed: { activation(jobs: string[], commands: string[]): void };
}

const { observed } = proxySinks<ObservedSinks>();
type Internals = NonNullable<WorkflowInterceptors['internals']>[number];

export function interceptors(): WorkflowInterceptors {
  let jobs: string[] = [];
  const internals: Internals = {
    activate(input, next) {
      jobs = (input.activation.jobs ?? []).map((job) => Object.keys(job).join());
      next(input);
    },
    concludeActivation(input, next) {
      const output = next(input);
      observed.activation(jobs, output.commands.map(described));
      return output;
    },
  };
  return { internals: [internals] };
}

/** `startTimer 3`: the kind, and the number or name by which the core knows it. */
function described(command: object): string {
  const [[kind, body] = ['', {}]] = Object.entries(command).filter(
    ([name, value]) => name !== 'userMetadata' && value != null,
  );
  const { seq, patchId, protocolInstanceId } = (body ?? {}) as Record<string, unknown>;
  return [kind, seq ?? patchId ?? protocolInstanceId ?? ''].join(' ').trimEnd();
}
