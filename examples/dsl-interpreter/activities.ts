/**
 * The activities that programs may call here.
 * Thread: embedding. In → out: values → values, and lines on the console.
 */
const SALES: Record<string, number[]> = { north: [120, 80], south: [30], west: [] };

export async function regions(): Promise<string[]> {
  return Object.keys(SALES);
}

export async function sales(region: string): Promise<number> {
  const total = (SALES[region] ?? []).reduce((sum, each) => sum + each, 0);
  console.log(`  sales of ${region}: ${total}`);
  return total;
}

export async function isLow(total: number): Promise<boolean> {
  return total < 50;
}

export async function report(text: string): Promise<string> {
  console.log(`  report: ${text}`);
  return text;
}
