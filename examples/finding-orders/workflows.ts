/**
 * The order workflow: says of itself where it is, so that it can be found.
 * Thread: worker (the definitions and keys also where clients are). In → out: a total, signals → the carrier.
 */
import {
  condition,
  defineSearchAttributeKey,
  defineSignal,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from 'holdfast/workflow';

/** What orders are found by. */
export const customer = defineSearchAttributeKey('Customer', 'KEYWORD');
export const stage = defineSearchAttributeKey('Stage', 'KEYWORD');
export const total = defineSearchAttributeKey('Total', 'DOUBLE');
export const due = defineSearchAttributeKey('Due', 'DATETIME');
export const tags = defineSearchAttributeKey('Tags', 'KEYWORD_LIST');

export const pay = defineSignal('pay');
export const ship = defineSignal<[carrier: string]>('ship');

export async function order(amount: number): Promise<string> {
  let paid = false;
  let carrier: string | undefined;
  setHandler(pay, () => {
    paid = true;
  });
  setHandler(ship, (by) => {
    carrier = by;
  });

  upsertSearchAttributes([
    { key: total, value: amount },
    { key: stage, value: 'unpaid' },
  ]);
  await condition(() => paid);
  // Others stay as they are; null takes one away.
  upsertSearchAttributes([
    { key: stage, value: 'packing' },
    { key: due, value: null },
  ]);
  await condition(() => carrier !== undefined);
  upsertSearchAttributes([{ key: stage, value: 'sent' }]);
  upsertMemo({ carrier });

  const { memo, typedSearchAttributes } = workflowInfo();
  return `${typedSearchAttributes.get(customer)}, by ${memo?.['carrier']}`;
}
