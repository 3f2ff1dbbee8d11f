/**
 * The calendar of a subscription: the same day of every month, or its last one where there is no such day.
 * Thread: worker. In → out: when it began and how many months later → time; epoch milliseconds, in UTC.
 */
export function monthsAfter(began: number, months: number): number {
  const day = new Date(began).getUTCDate();
  const due = new Date(began);
  due.setUTCDate(1);
  due.setUTCMonth(due.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(due.getUTCFullYear(), due.getUTCMonth() + 1, 0)).getUTCDate();
  due.setUTCDate(Math.min(day, lastDay));
  return due.getTime();
}
