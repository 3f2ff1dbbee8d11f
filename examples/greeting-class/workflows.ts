/**
 * The greeting workflows as classes: fields are the state, methods the handlers.
 * Thread: worker (the classes and types also where clients are). In → out: signals, queries and updates → the approved greeting.
 */
import * as workflow from 'holdfast/workflow';
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

/** Speaks two languages. Asked for another, it rejects the update: that leaves no trace. */
@workflow.defn()
export class GreetingWorkflow {
  private readonly greetings: Greetings = { [Language.Chinese]: '你好,世界', [Language.English]: 'Hello, world' };
  private language = Language.English;
  private approverName: string | undefined;

  @workflow.run
  async run(): Promise<string> {
    await workflow.condition(() => this.approverName !== undefined);
    return this.greetings[this.language]!; // Whatever the language was set to is in there.
  }

  /** A query handler returns a value and must not change anything. */
  @workflow.query()
  getLanguages({ supportedOnly }: GetLanguagesInput): Language[] {
    return Object.values(Language).filter((each) => !supportedOnly || Object.hasOwn(this.greetings, each));
  }

  @workflow.query()
  getLanguage(): Language {
    return this.language;
  }

  /** A signal handler changes the workflow's state and returns nothing. */
  @workflow.signal()
  approve({ name }: ApproveInput): void {
    this.approverName = name;
  }

  /** An update handler may do both: change the state and return a value. */
  @workflow.update({ validator: 'validateLanguage' })
  setLanguage(language: Language): Language {
    const previous = this.language;
    this.language = language;
    return previous;
  }

  /** Throws to reject the update before anything of it is recorded. */
  validateLanguage(language: Language): void {
    // Not `in`: every object has a `toString`.
    if (!Object.hasOwn(this.greetings, language)) throw new Error(`${language} is not supported`);
  }
}

const { callGreetingService } = workflow.proxyActivities<typeof activities>({ startToCloseTimeout: '10 seconds' });

/** Knows one greeting, and asks a service for others. What the service says is not known to a validator, so the update fails later. */
@workflow.defn()
export class GreetingServiceWorkflow {
  private readonly greetings: Greetings = { [Language.English]: 'Hello, world' };
  private language = Language.English;
  private approverName: string | undefined;

  @workflow.run
  async run(): Promise<string> {
    // Without the second part, updates that still wait for the service would be cut off.
    await workflow.condition(() => this.approverName !== undefined && workflow.allHandlersFinished());
    return this.greetings[this.language]!; // Whatever the language was set to is in there.
  }

  @workflow.query()
  getLanguage(): Language {
    return this.language;
  }

  @workflow.signal()
  approve({ name }: ApproveInput): void {
    this.approverName = name;
  }

  @workflow.update()
  async setLanguage(language: Language): Promise<Language> {
    if (!Object.hasOwn(this.greetings, language)) {
      const greeting = await callGreetingService(language);
      // The update was accepted, which is in the history. A failure ends it; the workflow goes on.
      if (greeting === undefined) {
        throw workflow.ApplicationFailure.create({ message: `The greeting service does not speak ${language}` });
      }
      this.greetings[language] = greeting;
    }
    const previous = this.language;
    this.language = language;
    return previous;
  }
}
