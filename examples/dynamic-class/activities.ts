/**
 * The greetings: none is known by name, the dynamic activity makes them all.
 * Thread: embedding. In → out: name and encoded arguments → a greeting.
 */
import { ApplicationFailure, activityInfo, payloadConverter, type RawValue, withRawArgs } from 'holdfast/activity';
import type { Greeting } from './workflows.js';

/** Takes the activities that the runtime has not. Bytes do not say what they are: it decodes them as what it expects. */
export const greet = withRawArgs(async (name: string, [value]: RawValue[]): Promise<string> => {
  if (value === undefined) throw ApplicationFailure.nonRetryable(`${name} was given nothing`);
  const { text, to } = payloadConverter().fromPayload<Greeting>(value.payload);
  return `${text}, ${to}! (activity type: ${activityInfo().activityType})`;
});
