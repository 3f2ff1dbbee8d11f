/**
 * What a subscription needs of the world: a bank and a letterbox.
 * Thread: embedding. In → out: calls of the workflow → charges, mails.
 */
import { activityInfo } from 'holdfast/activity';

export interface World {
  /** @throws if the card is declined */
  charge(customer: string, amount: number, key: string): Promise<void>;
  mail(customer: string, text: string): Promise<void>;
}

export function activitiesOf(world: World) {
  return {
    /** The same key for every attempt: a bank that has seen it does not charge twice. */
    async charge(customer: string, amount: number, month: number): Promise<void> {
      await world.charge(customer, amount, `${activityInfo().workflowExecution.workflowId}/${month}`);
    },
    async sendMail(customer: string, text: string): Promise<void> {
      await world.mail(customer, text);
    },
  };
}
