/**
 * What a promise rejects with, for tests that look at more than its class and message.
 * Thread: the test's. In → out: promise → the error; an error of its own if there was none.
 */
export async function rejectionOf(promise: Promise<unknown>): Promise<Error & { cause: Error; fields: object }> {
  try {
    await promise;
  } catch (error) {
    return error as Error & { cause: Error; fields: object }; // The test looks for what it names.
  }
  throw new Error('expected a rejection');
}
