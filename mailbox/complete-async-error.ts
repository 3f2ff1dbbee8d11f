/**
 * What an activity throws to say that its outcome comes later, from a client.
 * Thread: embedding. In → out: thrown → the attempt stays open.
 */

/**
 * Thrown by an activity that ends without its outcome: whoever has its `taskToken`, or knows its ids, completes it through `client.activity`.
 * Its time-outs go on meanwhile, also over a restart.
 * @example
 * await sendApprovalRequest({ token: activityInfo().base64TaskToken });
 * throw new CompleteAsyncError();
 */
export class CompleteAsyncError extends Error {
  override readonly name = 'CompleteAsyncError';
}
