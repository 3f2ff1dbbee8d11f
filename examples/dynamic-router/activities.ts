/**
 * The drivers' activities: one is known by name, all others go to the dynamic one.
 * Thread: embedding. In → out: name and values → what the driver answers.
 */
import { activityInfo, type RawValue, withRawArgs } from 'holdfast/activity';

/** The activities that the program knows. */
export const activities = {
  'thermostat.reset': async (): Promise<string> => 'reset by its own activity',
};

/** Takes every other name. A real one would look the driver up, and hand it the bytes. */
export const callDriver = withRawArgs(async (name: string, values: RawValue[]): Promise<string> => {
  const bytes = values.reduce((sum, { payload }) => sum + payload.length, 0);
  return `driver ${name} was given ${bytes} bytes by ${activityInfo().workflowExecution.workflowId}`;
});
