/**
 * The report example: its schedule, as a service would create it when it starts.
 * Thread: main. In → out: client → handle of the schedule, whether or not it was there already.
 */
import { type Client, ScheduleAlreadyRunning, type ScheduleHandle, ScheduleOverlapPolicy } from 'holdfast';
import { report } from './workflows.js';

export async function scheduleReports(client: Client): Promise<ScheduleHandle> {
  try {
    return await client.schedule.create<typeof report>({
      scheduleId: 'nightly-report',
      spec: {
        calendars: [{ hour: 3, dayOfWeek: { start: 'MONDAY', end: 'FRIDAY' }, comment: 'when nobody works' }],
        skip: [{ hour: 3, month: 'DECEMBER', dayOfMonth: [25, 26] }],
        timezone: 'Europe/Berlin',
        jitter: '10 minutes',
      },
      action: { type: 'startWorkflow', workflowType: report, workflowId: 'report', args: ['north'] },
      policies: { overlap: ScheduleOverlapPolicy.BUFFER_ONE, catchupWindow: '1 day', pauseOnFailure: true },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    return client.schedule.getHandle('nightly-report');
  }
}
