/**
 * Virtual time in the supervisor's thread: its clock, what moves it, and the ports through which the threads around are asked whether they
 * have come to rest.
 * Thread: supervisor. In → out: host messages, client ports → the clock that the supervisor runs on.
 */
import type { MessagePort } from 'node:worker_threads';
import { PROBE, type Request } from '../../client/protocol.js';
import { systemClock } from '../../clock.js';
import type { FromHost, ToHost } from '../../host/protocol.js';
import type { ReplySink } from '../replies.js';
import type { Supervisor } from '../supervisor.js';
import { AwaitedOutcomes } from './awaited-outcomes.js';
import { TimeSkipping } from './time-skipping.js';
import { VirtualClock } from './virtual-clock.js';

/** One question at a time: whoever asks while one is open waits for the same answer. */
class Question {
  #answer: (() => void) | undefined;

  ask(post: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      post();
    });
  }

  answered(): void {
    this.#answer?.();
    this.#answer = undefined;
  }
}

/** A client port while time is virtual. */
export class AttendedPort implements ReplySink {
  readonly awaited: AwaitedOutcomes;
  readonly #question = new Question();
  /** A client is at its other end: a port that nobody has taken answers nothing. */
  #connected = false;

  constructor(
    private readonly port: MessagePort,
    replies: ReplySink,
    private readonly time: VirtualTime,
  ) {
    this.awaited = new AwaitedOutcomes(replies);
  }

  /** What the client sent, before it is dealt with. */
  received(request: Request): void {
    this.awaited.requested(request);
  }

  connected(): void {
    this.#connected = true;
    this.time.look();
  }

  send: ReplySink['send'] = (reply) => this.awaited.send(reply);

  ask(): Promise<void> {
    return this.#connected ? this.#question.ask(() => this.port.postMessage(PROBE)) : Promise.resolve();
  }

  answered(): void {
    this.#question.answered();
  }
}

export class VirtualTime {
  readonly clock: VirtualClock;
  readonly #ports = new Set<AttendedPort>();
  readonly #host = new Question();
  readonly #tell: (message: ToHost) => void;
  readonly #later: (callback: () => void) => void;
  #skipping: TimeSkipping | undefined;

  constructor(start: number, tell: (message: ToHost) => void, later: (callback: () => void) => void) {
    this.clock = new VirtualClock(start, systemClock);
    this.#tell = tell;
    this.#later = later;
  }

  /** From here on time may move. */
  begin(supervisor: Supervisor): void {
    this.#skipping = new TimeSkipping(this.clock, systemClock, {
      atRest: () => supervisor.atRest,
      anySuspended: () => supervisor.anySuspended,
      attempts: () => supervisor.attempts,
      isUnderWay: (attempt) => supervisor.isUnderWay(attempt),
      leftToClients: () => supervisor.activities.outside,
      attemptsAwaiting: () => [...this.#ports].flatMap(({ awaited }) => awaited.attempts),
      awaited: () => [...this.#ports].some(({ awaited }) => awaited.size > 0),
      askHost: () => this.#host.ask(() => this.#tell({ kind: 'probe' })),
      askClients: () => this.#askClients(),
      wake: (id) => this.#tell({ kind: 'slept', id }),
    });
  }

  readonly look = (): void => this.#skipping?.look();

  /** Replies to this port go through what it returns. */
  attend(port: MessagePort, replies: ReplySink): AttendedPort {
    const attended = new AttendedPort(port, replies, this);
    this.#ports.add(attended);
    port.on('close', () => {
      this.#ports.delete(attended);
      attended.answered();
      this.look();
    });
    return attended;
  }

  received(message: Extract<FromHost, { kind: 'sleep' | 'probed' }>): void {
    if (message.kind === 'probed') this.#host.answered();
    else this.#skipping?.sleep(message.id, message.durationMs, message.attempt);
  }

  /** Behind the replies that wait for this turn of the event loop to end. */
  #askClients(): Promise<void> {
    return new Promise((resolve) => {
      this.#later(() => {
        void Promise.all([...this.#ports].map((port) => port.ask())).then(() => resolve());
      });
    });
  }
}
