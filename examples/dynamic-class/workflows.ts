/**
 * Parties: one class runs all kinds of them, and takes whatever gifts and greetings its guests come up with.
 * Thread: worker (the classes and types also where clients are). In → out: signals, queries and updates of any name → gifts and greetings.
 */
import * as workflow from 'holdfast/workflow';

/** What the activities get. */
export interface Greeting {
  text: string;
  to: string;
}

const { fromPayload } = workflow.payloadConverter();

/** Any name is an activity: `defaultActivity` of the runtime takes those that it has not. */
const greetings = workflow.proxyActivities({ startToCloseTimeout: '10 seconds' });

/** Runs every workflow type that no other export has the name of. */
@workflow.defn({ dynamic: true })
export class Party {
  private readonly gifts = new Map<string, workflow.RawValue>();
  private host = 'somebody';
  private isOver = false;

  /** Its arguments come as they were sent, for a type that nobody knew has arguments that nobody knew. */
  @workflow.run
  async run([host]: workflow.RawValue[]): Promise<string> {
    if (host !== undefined) this.host = fromPayload<string>(host.payload);
    await workflow.condition(() => this.isOver && workflow.allHandlersFinished());
    return `the ${workflow.workflowInfo().workflowType} of ${this.host}: ${[...this.gifts.keys()].join(', ')}`;
  }

  /** Static handlers come first: a signal of this name never reaches the dynamic one. */
  @workflow.signal
  end(): void {
    this.isOver = true;
  }

  /** A signal of any other name is a gift. It is kept as it came: nobody has to unwrap it yet. */
  @workflow.signal({ dynamic: true })
  keep(name: string, [gift]: workflow.RawValue[]): void {
    if (gift !== undefined) this.gifts.set(name, gift);
  }

  /** A query of any name asks for that gift, which is passed on as it is. */
  @workflow.query({ dynamic: true })
  show(name: string, _: workflow.RawValue[]): workflow.RawValue {
    const gift = this.gifts.get(name);
    if (gift === undefined) throw new Error(`nobody has brought a ${name}`);
    return gift;
  }

  /** An update of any name is a greeting, by the activity of that name. */
  @workflow.update({ dynamic: true, validator: 'checkGreeting' })
  async greet(name: string, [text]: workflow.RawValue[]): Promise<string> {
    const greeting: Greeting = { text: fromPayload<string>(text!.payload), to: this.host }; // The validator says that there is one.
    return greetings[name]!(greeting);
  }

  checkGreeting(name: string, values: workflow.RawValue[]): void {
    if (values.length !== 1) throw new Error(`${name} takes one text, not ${values.length}`);
  }
}

/** Brings flowers, and ends the party. */
@workflow.defn
export class LastGuest {
  @workflow.run
  async run(partyId: string): Promise<void> {
    const party = workflow.getExternalWorkflowHandle(Party, partyId);
    await party.signal('flowers', 'tulips');
    await party.signal.end();
  }
}
