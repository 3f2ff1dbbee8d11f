/**
 * Where the sales come from, and an archive that is not always there.
 * Thread: main. In → out: a day's sales → what is archived.
 */
export class Archive {
  readonly reports: string[] = [];
  /** How often it will not answer, by how many reports it has then. */
  readonly outages = new Map<number, number>();

  readonly activities = {
    fetchSales: async (): Promise<number> => 40 + this.reports.length,

    archive: async (report: string): Promise<void> => {
      const has = this.reports.length;
      const outages = this.outages.get(has) ?? 0;
      if (outages > 0) {
        this.outages.set(has, outages - 1);
        throw new Error('the archive does not answer');
      }
      this.reports.push(report);
    },
  };
}

export type Activities = Archive['activities'];
