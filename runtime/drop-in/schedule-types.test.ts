/**
 * The types of schedules against Temporal's own: what code written for theirs passes it may pass to ours, and what it gets it gets.
 * Thread: none; only compiled, then run once over types alone.
 */
import * as theirs from '@temporalio/client';
import { expect, expectTypeOf, test } from 'vitest';
import * as ours from '../index.js';
import type { Missing } from './fixtures/missing-members.js';

type Lacks<T, O> = Exclude<keyof T, keyof O>;
/** Ours may be left out where theirs may be undefined. */
type Loose<T> = { [K in keyof T]: T[K] | undefined };
type AnyWorkflow = (name: string, count?: number) => Promise<{ done: boolean }>;
type TheirAction = theirs.ScheduleOptionsStartWorkflowAction<AnyWorkflow>;
type OurAction = ours.ScheduleOptionsStartWorkflowAction<AnyWorkflow>;

test('the values of schedules are theirs', () => {
  expect(ours.MONTHS).toEqual(theirs.MONTHS);
  expect(ours.DAYS_OF_WEEK).toEqual(theirs.DAYS_OF_WEEK);
  // Theirs has a name for leaving it out.
  const { UNSPECIFIED: _, ...policies } = theirs.ScheduleOverlapPolicy;
  expect(ours.ScheduleOverlapPolicy).toEqual(policies);
  expect(ours.ScheduleAlreadyRunning.name).toBe(theirs.ScheduleAlreadyRunning.name);
  expect(ours.ScheduleNotFoundError.name).toBe(theirs.ScheduleNotFoundError.name);
});

test('a spec of theirs is one of ours, and is described as theirs is', () => {
  expectTypeOf<theirs.ScheduleSpec>().toExtend<Loose<ours.ScheduleSpec>>();
  expectTypeOf<theirs.CalendarSpec>().toExtend<Loose<ours.CalendarSpec>>();
  expectTypeOf<theirs.IntervalSpec>().toExtend<Loose<ours.IntervalSpec>>();
  expectTypeOf<theirs.LooseRange<number>>().toExtend<ours.LooseRange<number>>();
  expectTypeOf<theirs.Range<number>>().toExtend<Loose<ours.Range<number>>>();
  expectTypeOf<ours.ScheduleSpecDescription>().toExtend<theirs.ScheduleSpecDescription>();
  expectTypeOf<ours.CalendarSpecDescription>().toExtend<theirs.CalendarSpecDescription>();
  expectTypeOf<ours.IntervalSpecDescription>().toExtend<theirs.IntervalSpecDescription>();
  expectTypeOf<theirs.Month>().toEqualTypeOf<ours.Month>();
  expectTypeOf<theirs.DayOfWeek>().toEqualTypeOf<ours.DayOfWeek>();
  expectTypeOf<theirs.Backfill>().toExtend<Loose<ours.Backfill>>();
});

test('what is told of actions is what theirs tell', () => {
  expectTypeOf<ours.ScheduleExecutionResult>().toExtend<theirs.ScheduleExecutionResult>();
  expectTypeOf<ours.ScheduleExecutionActionResult>().toExtend<theirs.ScheduleExecutionActionResult>();
  expectTypeOf<ours.ScheduleExecutionStartWorkflowActionResult>().toExtend<theirs.ScheduleExecutionStartWorkflowActionResult>();
  expectTypeOf<ours.ScheduleSummaryAction>().toExtend<theirs.ScheduleSummaryAction>();
  expectTypeOf<ours.ScheduleSummaryStartWorkflowAction>().toExtend<theirs.ScheduleSummaryStartWorkflowAction>();
  expectTypeOf<ours.ScheduleSummary['info']>().toExtend<theirs.ScheduleSummary['info']>();
  expectTypeOf<ours.ScheduleSummary['state']>().toExtend<theirs.ScheduleSummary['state']>();
  expectTypeOf<ours.ScheduleDescription['info']>().toExtend<theirs.ScheduleDescription['info']>();
  expectTypeOf<ours.ScheduleDescription['state']>().toExtend<theirs.ScheduleDescription['state']>();
  expectTypeOf<ours.ScheduleDescription['policies']>().toExtend<theirs.ScheduleDescription['policies']>();
});

test('members that theirs have and ours have not are those of docs/temporal.md', () => {
  expectTypeOf<Lacks<theirs.ScheduleClient, ours.ScheduleClient>>().toEqualTypeOf<Missing<'ScheduleClient'>>();
  expectTypeOf<Lacks<theirs.ScheduleHandle, ours.ScheduleHandle>>().toBeNever();
  expectTypeOf<Lacks<theirs.ListScheduleOptions, ours.ListScheduleOptions>>().toBeNever();
  expectTypeOf<Lacks<theirs.ScheduleOptions, ours.ScheduleOptions>>().toBeNever();
  expectTypeOf<Lacks<theirs.ScheduleUpdateOptions, ours.ScheduleUpdateOptions>>().toBeNever();
  expectTypeOf<Lacks<NonNullable<theirs.ScheduleOptions['policies']>, ours.SchedulePolicies>>().toBeNever();
  expectTypeOf<
    Lacks<NonNullable<theirs.ScheduleOptions['state']>, NonNullable<ours.ScheduleOptions['state']>>
  >().toBeNever();
  expectTypeOf<Lacks<TheirAction, OurAction>>().toEqualTypeOf<Missing<'ScheduleOptionsStartWorkflowAction'>>();
  expectTypeOf<Lacks<theirs.ScheduleOptionsAction, ours.ScheduleOptionsAction>>().toEqualTypeOf<
    Missing<'ScheduleOptionsStartWorkflowAction'>
  >();
  expectTypeOf<
    Lacks<theirs.ScheduleDescriptionStartWorkflowAction, ours.ScheduleDescriptionStartWorkflowAction>
  >().toEqualTypeOf<Missing<'ScheduleDescriptionStartWorkflowAction'>>();
  expectTypeOf<Lacks<theirs.CompiledScheduleOptions, ours.CompiledScheduleOptions>>().toBeNever();
  expectTypeOf<Lacks<theirs.ScheduleSummary, ours.ScheduleSummary>>().toBeNever();
  expectTypeOf<Lacks<theirs.ScheduleDescription, ours.ScheduleDescription>>().toEqualTypeOf<
    Missing<'ScheduleDescription'>
  >();
  expectTypeOf<Lacks<theirs.ScheduleDescriptionAction, ours.ScheduleDescriptionAction>>().toEqualTypeOf<
    Missing<'ScheduleDescriptionStartWorkflowAction'>
  >();
  expectTypeOf<keyof theirs.ScheduleClientInterceptor>().toEqualTypeOf<keyof ours.ScheduleClientInterceptor>();
  expectTypeOf<keyof theirs.CreateScheduleInput>().toEqualTypeOf<keyof ours.CreateScheduleInput>();
  expectTypeOf<ours.CreateScheduleOutput>().toExtend<theirs.CreateScheduleOutput>();
  // Its arguments are checked.
  expectTypeOf<OurAction['args']>().toEqualTypeOf<TheirAction['args']>();
});
