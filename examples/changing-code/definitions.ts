/**
 * What every version of the order has in common.
 * Thread: any. In → out: names and types of messages.
 */
import { defineSignal } from 'holdfast/workflow';

export const approve = defineSignal('approve');
