/**
 * Coded turns: a turn whose payloads go through a codec. What cannot be decoded or encoded suspends its own run and no other.
 * Thread: worker. In → out: slices → decoded slices → report → encoded report.
 */
import { toFailureRecord } from '../mailbox/failures.js';
import { type PayloadCodec, recode } from '../mailbox/payload-codec.js';
import { decodeEvents, encodeEvents, type Slice, type SliceReport, type TurnReport } from '../mailbox/turn.js';

export interface Turns {
  run(slices: readonly Slice[]): Promise<TurnReport>;
}

export class CodedTurns implements Turns {
  constructor(
    private readonly turns: Turns,
    private readonly codec: PayloadCodec,
  ) {}

  async run(slices: readonly Slice[]): Promise<TurnReport> {
    const suspended: SliceReport[] = [];
    const decoded = await Promise.all(
      slices.map((slice) =>
        this.#decode(slice).catch((error): Slice => {
          suspended.push(suspendedBy(slice.run, error));
          // An actor that is there already must not stay: the supervisor takes it for gone.
          return { run: slice.run, evict: true, steps: [] };
        }),
      ),
    );
    const report = await this.turns.run(decoded);
    const gone: Slice[] = [];
    const encoded = await Promise.all(
      report.slices.map((slice) =>
        recode(slice, this.codec, 'encode').catch((error) => {
          gone.push({ run: slice.run, evict: true, steps: [] });
          return suspendedBy(slice.run, error);
        }),
      ),
    );
    if (gone.length > 0) await this.turns.run(gone);
    return { ...report, slices: [...suspended, ...encoded] };
  }

  async #decode(slice: Slice): Promise<Slice> {
    const steps = await recode(slice.steps, this.codec, 'decode');
    if (slice.load === undefined) return { ...slice, steps };
    const frames = await Promise.all(
      slice.load.frames.map(async (frame) =>
        // A copy: what encodes events reuses its buffer.
        encodeEvents(await recode(decodeEvents(frame, 1), this.codec, 'decode')).slice(),
      ),
    );
    return { ...slice, steps, load: { ...slice.load, frames } };
  }
}

/** Nothing of the turn counts: it is tried again as any suspended step is. */
function suspendedBy(run: number, error: unknown): SliceReport {
  return {
    run,
    processed: 0,
    steps: [],
    end: { kind: 'suspended', error: { kind: 'threw', failure: toFailureRecord(error) } },
  };
}
