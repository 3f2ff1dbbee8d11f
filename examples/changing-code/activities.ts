/**
 * What an order asks of other systems; here each only says that it was done.
 * Thread: embedding. In → out: item → what was done with it.
 */
export const check = async (item: string): Promise<string> => `checked ${item}`;
export const reserve = async (item: string): Promise<string> => `reserved ${item}`;
export const charge = async (item: string): Promise<string> => `charged for ${item}`;
