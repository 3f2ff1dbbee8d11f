/**
 * The player of schedule programs: does to schedule `s` what a program says, and notes what was asked and what was known then.
 * Thread: the test's. In → out: actions → calls with what was sent, and moments of rest.
 */
import type { ScheduleDefinition, ScheduleRecord } from '../../actors/schedules/schedule-record.js';
import { encodePayload, encodePayloads } from '../../mailbox/payload.js';
import { scheduleWorkflowId } from '../../mailbox/system-types.js';
import { resultOf } from './schedule.test-kit.js';
import {
  type Definition,
  rangeOf,
  type ScheduleAction,
  type ScheduleProgram,
  work,
} from './schedule-programs.test-kit.js';
import { create, started } from './schedules.test-kit.js';
import type { Call, System } from './system.test-kit.js';

export const SQUATTER = 'squat';

export interface Asked {
  readonly kind: 'update' | 'describe' | 'rest';
  readonly name: string;
  readonly updateId: string;
  readonly call: Call;
  /** It dies with its process. */
  readonly life: number;
  /** Of updates that were known to be done. */
  readonly known: readonly string[];
  /** What had been answered. */
  readonly answered: ReadonlySet<Asked>;
  /** How often a schedule had been created, or was to be. */
  readonly creates: number;
  /** Of the schedule that an update was made for. */
  readonly version: number;
  /** The clock. */
  readonly at: number;
}

export class SchedulePlayer {
  readonly asked: Asked[] = [];
  life = 0;
  #creates = 0;
  #definition: Definition;

  constructor(
    private readonly system: System,
    private readonly program: ScheduleProgram,
  ) {
    this.#definition = program.definition;
  }

  async play(): Promise<void> {
    this.#create();
    for (const action of this.program.actions) {
      await (this.#byName[action.do] as (action: ScheduleAction) => Promise<void> | void)(action);
    }
    await this.#rest();
    await this.system.pass(30_000);
    await this.#rest();
  }

  readonly #byName: {
    readonly [K in ScheduleAction['do']]: (action: Extract<ScheduleAction, { readonly do: K }>) => Promise<void> | void;
  } = {
    create: () => this.#create(),
    pause: () => this.#update('pause', 'by its owner'),
    unpause: () => this.#update('unpause', 'by its owner'),
    trigger: ({ overlap }) => this.#update('trigger', overlap),
    backfill: ({ past }) => this.#update('backfill', [rangeOf(past)]),
    update: ({ changes }) => {
      this.#definition = { ...this.#definition, ...changes };
      this.#update('update', definitionOf(this.#definition), this.#version());
    },
    delete: () => this.#update('delete'),
    describe: () => this.#describe('describe'),
    end: ({ how, which }) => {
      const ids = started(this.system);
      const id = ids[ids.length - 1 - which];
      if (id !== undefined) this.system[how](id);
    },
    squat: () => {
      const at = Math.floor(this.system.clock.now() / 10_000 + 1) * 10_000;
      const workflowId = `s-workflow-${new Date(at).toISOString().replace('.000Z', 'Z')}`;
      const requestId = `${SQUATTER} ${this.asked.length} ${at}`;
      this.system.startWith(
        { workflowId, workflowType: 'work', requestId },
        { ms: 30_000, how: 'returns', lingers: 0 },
      );
    },
    pass: ({ ms }) => this.system.pass(ms),
    ticks: async ({ count }) => {
      for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
    },
    rest: () => this.#rest(),
    keep: ({ actors }) => {
      this.system.config.maxResident = actors;
    },
    flushes: ({ gate }) => this.system.store.flushes[gate](),
    returns: ({ gate }) => this.system.workers.returns[gate](),
    reads: ({ gate }) => this.system.store.reads[gate](),
    loseTurns: ({ turns }) => {
      let left = turns;
      this.system.workers.fate = () => (left-- > 0 ? 'between' : undefined);
    },
    crash: async ({ flush }) => {
      this.life++;
      await this.system.crash(flush);
    },
    restart: async () => {
      await this.#letGo();
      this.life++;
      await this.system.restart();
    },
    deploy: async () => {
      this.life++;
      this.system.deploy({ later: work });
      await this.system.crash('lost');
    },
  };

  #create(): void {
    this.#creates++;
    create(this.system, 's', definitionOf(this.#definition), this.program.create);
  }

  #update(name: string, ...args: unknown[]): void {
    const updateId = `${name} ${this.asked.length}`;
    const version = this.#version();
    const input = encodePayloads(args);
    const target = { workflowId: scheduleWorkflowId('s'), name, updateId, stage: 'COMPLETED' as const, input };
    this.#note('update', name, updateId, version, () => this.system.request({ kind: 'update', ...target }));
  }

  #describe(kind: 'describe' | 'rest'): void {
    this.#note(kind, kind, '', 0, () => this.system.query(scheduleWorkflowId('s'), 'describe'));
  }

  /** As the last description told it. */
  #version(): number {
    const told = this.asked.filter(({ kind, call }) => kind !== 'update' && call.reply?.kind === 'queryResult').at(-1);
    return told === undefined ? 1 : (resultOf(told.call) as ScheduleRecord).version;
  }

  #note(kind: Asked['kind'], name: string, updateId: string, version: number, send: () => Call): void {
    const answered = this.asked.filter(({ call }) => call.answered);
    const asked = {
      known: answered.filter(({ call }) => call.reply?.kind === 'updateCompleted').map((one) => one.updateId),
      answered: new Set(answered),
      creates: this.#creates,
      at: this.system.clock.now(),
    };
    this.asked.push({ kind, name, updateId, version, ...asked, life: this.life, call: send() });
  }

  async #rest(): Promise<void> {
    await this.#letGo();
    // What is long goes on in the next step.
    for (let step = 0; step < 3; step++) await this.system.pass(1);
    this.#describe('rest');
    await this.system.settle();
  }

  async #letGo(): Promise<void> {
    const { store, workers } = this.system;
    workers.fate = () => undefined;
    for (const gate of [store.flushes, store.reads, workers.returns]) gate.open();
    await this.system.settle();
  }
}

function definitionOf({ spec, policies, paused, remaining, type, plan }: Definition): ScheduleDefinition {
  const action = { workflowId: 's-workflow', workflowType: type, args: [encodePayload(plan)] };
  return { spec, policies, paused, action, ...(remaining === undefined ? {} : { remaining }) };
}
