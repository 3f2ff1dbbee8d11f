/**
 * What a connection is opened with.
 * Thread: any client thread. In → out: types only.
 */
import type { CustomPayloadConverter } from '../../mailbox/converter-scope.js';
import type { PayloadCodec } from '../../mailbox/payload-codec.js';
import type { Clock } from '../clock.js';
import type { ClientCalls } from './interceptors.js';
import type { WorkUnderWay } from './work-under-way.js';

/** What stands between values and stored bytes. */
export interface DataConverters {
  readonly payloadConverter?: CustomPayloadConverter | undefined;
  readonly payloadCodec?: PayloadCodec | undefined;
}

export interface ConnectionSetting extends DataConverters {
  readonly calls?: ClientCalls | undefined;
  /** Of the client's thread, if it does more than this connection knows. */
  readonly work?: WorkUnderWay | undefined;
  /** The activity attempt that asks, by its token, where the supervisor wants to know. */
  readonly attempt?: (() => number | undefined) | undefined;
  /** By which callers give up. Default: the machine's. */
  readonly clock?: Pick<Clock, 'now' | 'after'> | undefined;
}
