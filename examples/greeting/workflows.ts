/**
 * The greeting workflows: a greeting waits for its approval, and meanwhile can be asked about and changed.
 * Thread: worker (the definitions and types also where clients are). In → out: signals, queries and updates → the approved greeting.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setHandler,
} from 'holdfast/workflow';
import type * as activities from './activities.js';

export enum Language {
  Arabic = 'Arabic',
  Chinese = 'Chinese',
  English = 'English',
  French = 'French',
  Hindi = 'Hindi',
  Portuguese = 'Portuguese',
  Spanish = 'Spanish',
}

export type Greetings = Partial<Record<Language, string>>;

export interface GetLanguagesInput {
  supportedOnly: boolean;
}

export interface ApproveInput {
  name: string;
}

export const getLanguages = defineQuery<Language[], [GetLanguagesInput]>('get_languages');
export const getLanguage = defineQuery<Language>('get_language');
export const approve = defineSignal<[ApproveInput]>('approve');
export const setLanguage = defineUpdate<Language, [Language]>('set_language');

/** Speaks two languages. Asked for another, it rejects the update: that leaves no trace. */
export async function greetingWorkflow(): Promise<string> {
  const greetings: Greetings = { [Language.Chinese]: '你好,世界', [Language.English]: 'Hello, world' };
  let language = Language.English;
  let approverName: string | undefined;

  // A query handler returns a value and must not change anything.
  setHandler(getLanguages, ({ supportedOnly }) =>
    Object.values(Language).filter((each) => !supportedOnly || Object.hasOwn(greetings, each)),
  );
  setHandler(getLanguage, () => language);

  // A signal handler changes the workflow's state and returns nothing.
  setHandler(approve, ({ name }) => {
    approverName = name;
  });

  // An update handler may do both. Its validator throws to reject the update before anything of it is recorded.
  setHandler(
    setLanguage,
    (next) => {
      const previous = language;
      language = next;
      return previous;
    },
    {
      validator: (next) => {
        // Not `in`: every object has a `toString`.
        if (!Object.hasOwn(greetings, next)) throw new Error(`${next} is not supported`);
      },
    },
  );

  await condition(() => approverName !== undefined);
  return greetings[language]!; // Whatever the language was set to is in there.
}

const { callGreetingService } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 seconds' });

/** Knows one greeting, and asks a service for others. What the service says is not known to a validator, so the update fails later. */
export async function greetingServiceWorkflow(): Promise<string> {
  const greetings: Greetings = { [Language.English]: 'Hello, world' };
  let language = Language.English;
  let approverName: string | undefined;

  setHandler(getLanguages, ({ supportedOnly }) =>
    Object.values(Language).filter((each) => !supportedOnly || Object.hasOwn(greetings, each)),
  );
  setHandler(getLanguage, () => language);
  setHandler(approve, ({ name }) => {
    approverName = name;
  });

  setHandler(setLanguage, async (next) => {
    if (!Object.hasOwn(greetings, next)) {
      const greeting = await callGreetingService(next);
      // The update was accepted, which is in the history. A failure ends it; the workflow goes on.
      if (greeting === undefined)
        throw ApplicationFailure.create({ message: `Greeting service does not support ${next}` });
      greetings[next] = greeting;
    }
    const previous = language;
    language = next;
    return previous;
  });

  // Without the second part, updates that still wait for the service would be cut off.
  await condition(() => approverName !== undefined && allHandlersFinished());
  return greetings[language]!; // Whatever the language was set to is in there.
}
