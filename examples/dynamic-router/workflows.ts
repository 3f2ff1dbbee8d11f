/**
 * Devices: one model has a workflow of its own, all others share the dynamic one, which takes whatever their makers came up with.
 * Thread: worker (the definitions also where clients are). In → out: signals, queries and updates of any name → readings and drivers' answers.
 */
import {
  condition,
  defineQuery,
  defineSignal,
  payloadConverter,
  proxyActivities,
  type RawValue,
  setDefaultQueryHandler,
  setDefaultSignalHandler,
  setDefaultUpdateHandler,
  setHandler,
  workflowInfo,
} from 'holdfast/workflow';

export const retire = defineSignal('retire');
export const getPlace = defineQuery<string>('getPlace');

/** Any name is an activity: `defaultActivity` of the runtime takes those that it has not. */
const drivers = proxyActivities({ startToCloseTimeout: '10 seconds' });

/** Runs every workflow type that no other export has the name of. */
export default async function device(place: string): Promise<Record<string, unknown>> {
  const model = workflowInfo().workflowType;
  const readings = new Map<string, RawValue>();
  let retired = false;

  // Static handlers come first: these two names never reach the dynamic handlers.
  setHandler(retire, () => {
    retired = true;
  });
  setHandler(getPlace, () => place);

  // A signal of any other name is a reading. It is kept as it came: nobody has to decode what nobody asks for.
  setDefaultSignalHandler(
    (name, [reading]) => {
      if (reading !== undefined) readings.set(name, reading);
    },
    { rawArgs: true },
  );

  // A query of any other name asks for the last reading of that name, which is passed on undecoded.
  setDefaultQueryHandler((name) => {
    const reading = readings.get(name);
    if (reading === undefined) throw new Error(`no ${name} has been reported`);
    return reading;
  });

  // An update of any name is a setting, for the driver of this model to make.
  setDefaultUpdateHandler((name, ...values) => drivers[`${model}.${name}`]!(...values), {
    validator: (name, ...values) => {
      if (values.length !== 1) throw new Error(`${name} takes one value, not ${values.length}`);
    },
  });

  await condition(() => retired);
  const decoded = [...readings].map(([name, reading]) => [name, payloadConverter().fromPayload(reading)] as const);
  return Object.fromEntries(decoded);
}

/** Exported by its name, so the dynamic workflow is not asked. */
export async function lamp(place: string): Promise<string> {
  return `the lamp in ${place} needs no dynamic handlers`;
}
