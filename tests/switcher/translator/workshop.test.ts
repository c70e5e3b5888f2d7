// Translations that another thread makes: the Guest runs on meanwhile, and nothing that happens to either does it any harm.
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { aroundLoading } from '../../../lib/loading.js';
import type { Cpu } from '../../../switcher/cpu/cpu.js';
import type { Job } from '../../../switcher/translator/job.js';
import { makeRegion, type Outcome } from '../../../switcher/translator/make-region.js';
import { GrowingWorkshop, type Workshop } from '../../../switcher/translator/workshop.js';
import { EBP, EBX, HLT, newCpu, PAGE, run, translator } from '../../support/translating-cpu.js';

t.setTimeout(120_000);

const TIMES = 200_000;
const [INC_EBX, DEC_EBX] = [0x43, 0x4b];

/** 1: `step`; dec %ebp; jnz 1b; hlt */
function writeLoop(cpu: Cpu, at: number, step: number): void {
  cpu.memory.bytes.set([step, 0x4d, 0x75, 0xfc, HLT], at);
  cpu.memory.wrote(at, 5);
}

function runLoop(cpu: Cpu, at: number): number {
  cpu.memory.set(EBX, 0);
  cpu.memory.set(EBP, TIMES);
  run(cpu, at);
  return cpu.memory.get(EBX);
}

/** A program for the other thread. */
const program = (text: string): URL =>
  new URL(`data:text/javascript,import { workerData as port } from 'node:worker_threads';${encodeURIComponent(text)}`);

/** Runs loops, each at a place of its own, until that has come to be so. */
async function runUntil(t: Test, cpu: Cpu, isSo: () => boolean): Promise<void> {
  let at = PAGE;
  do {
    writeLoop(cpu, at, INC_EBX);
    const result = runLoop(cpu, at);
    if (result !== TIMES) return void t.equal(result, TIMES);
    at = at + 8 < 15 * PAGE ? at + 8 : PAGE;
    // What the other thread ends with comes by the event loop.
    await setImmediate();
  } while (!isSo());
}

t.test(
  'when a Guest has waited long enough, another thread makes its translations, and makes them right',
  async (t) => {
    const workshop = new GrowingWorkshop(0);
    const cpu = newCpu(workshop);
    await runUntil(t, cpu, () => workshop.isHelped);
    const { regions } = translator(cpu);
    t.ok(regions > 0, 'the first is made at once: until the thread is there, all goes on');
    await runUntil(t, cpu, () => translator(cpu).regions > regions + 10);
    writeLoop(cpu, 8, DEC_EBX);
    for (const { live } = translator(cpu); translator(cpu).live === live; await setImmediate())
      if (runLoop(cpu, 8) !== -TIMES) t.fail('another result');
    t.equal(runLoop(cpu, 8), -TIMES);
    const { mistakes, elsewhere, regions: all, milliseconds, millisecondsElsewhere } = translator(cpu);
    t.strictSame(mistakes, []);
    t.ok(elsewhere >= 10 && elsewhere < all, `${elsewhere} of ${all} were made there`);
    t.ok(millisecondsElsewhere > 0 && millisecondsElsewhere < milliseconds);
  },
);

t.test('the first regions, which take longest to make, are waited for longest', async (t) => {
  const workshop = new GrowingWorkshop(Infinity);
  const cpu = newCpu(workshop);
  const first = workshop.patience;
  const seen: number[] = [];
  for (let count = 1; count <= 6; count++) {
    await runUntil(t, cpu, () => translator(cpu).regions >= count);
    seen.push(workshop.patience);
  }
  const later = seen.at(-1) ?? first;
  t.ok(later < first && later > 0, `${first}, then ${later}`);
  t.strictSame(seen, [first, first, first, later, later, later]);
});

t.test('what is to be done around the loading of modules is done around the start of the thread', async (t) => {
  const said: string[] = [];
  aroundLoading(() => {
    said.push('before');
    return () => void said.push('after');
  });
  t.teardown(() => aroundLoading(() => () => undefined));
  const workshop = new GrowingWorkshop(0);
  const cpu = newCpu(workshop);
  await runUntil(t, cpu, () => said.length > 0);
  t.strictSame(said, ['before']);
  await runUntil(t, cpu, () => workshop.isHelped);
  t.strictSame(said, ['before', 'after']);
  const broken = new GrowingWorkshop(0, program('throw new Error("no")'));
  await runUntil(t, newCpu(broken), () => said.length >= 4);
  t.strictSame(said, ['before', 'after', 'before', 'after'], 'and if it never starts');
});

/** Keeps what it is asked for until it is told. */
class SlowWorkshop implements Workshop {
  readonly patience = 1;
  readonly orders: { readonly job: Job; readonly done: (outcome: Outcome) => void }[] = [];

  get hasRoom(): boolean {
    return this.orders.length === 0;
  }

  take(job: Job, done: (outcome: Outcome) => void): void {
    this.orders.push({ job, done });
  }

  collect(): void {
    // When it is told.
  }

  finish(): void {
    for (const { job, done } of this.orders.splice(0)) done(makeRegion(job, true));
  }
}

t.test('code that has been written to while its translation was made is not run as it was', async (t) => {
  const workshop = new SlowWorkshop();
  const cpu = newCpu(workshop);
  for (const [written, step, result] of [
    [false, INC_EBX, TIMES],
    [true, DEC_EBX, -TIMES],
  ] as const) {
    writeLoop(cpu, PAGE, INC_EBX);
    t.equal(runLoop(cpu, PAGE), TIMES);
    t.equal(workshop.orders.length, 1, 'no place is ordered twice, and only so many at a time');
    if (written) writeLoop(cpu, PAGE, step);
    workshop.finish();
    t.equal(translator(cpu).live, written ? 0 : 1);
    t.equal(runLoop(cpu, PAGE), result);
    workshop.finish();
  }
});

t.test('a thread that cannot run, or ends in the middle, is done without', async (t) => {
  const programs = [
    new URL('https://localhost/no-such-protocol-for-threads'),
    program('throw new Error("no")'),
    program('port.postMessage("ready"); port.on("message", () => process.exit());'),
    program('port.postMessage("ready"); port.on("message", () => { throw new Error("no"); });'),
  ];
  for (const file of programs) {
    const cpu = newCpu(new GrowingWorkshop(0, file));
    await runUntil(t, cpu, () => translator(cpu).regions > 20);
    t.strictSame(translator(cpu).mistakes, []);
  }
});

t.test('a thread that never answers keeps nobody waiting, and is given no more than a little', async (t) => {
  const workshop = new GrowingWorkshop(0, program('port.postMessage("ready"); port.on("message", () => undefined);'));
  const cpu = newCpu(workshop);
  await runUntil(t, cpu, () => workshop.isHelped && !workshop.hasRoom);
  const { regions } = translator(cpu);
  for (let at = PAGE; at < 2 * PAGE; at += 64) {
    writeLoop(cpu, at, DEC_EBX);
    if (runLoop(cpu, at) !== -TIMES) t.fail('another result');
  }
  t.equal(translator(cpu).regions, regions);
});

/** Notes what it has asked the other thread for. */
class NotingWorkshop extends GrowingWorkshop {
  asked = 0;

  override take(job: Job, done: (outcome: Outcome) => void): void {
    if (this.isHelped) this.asked++;
    super.take(job, done);
  }
}

t.test('a thread that has not answered for too long is done without', async (t) => {
  const silent = program('port.postMessage("ready"); port.on("message", () => { for (;;); });');
  const workshop = new NotingWorkshop(0, silent, 20);
  const cpu = newCpu(workshop);
  // However slow this machine is: who was asked and helps no more never will.
  await runUntil(t, cpu, () => workshop.asked > 0 && !workshop.isHelped);
  const { regions } = translator(cpu);
  await runUntil(t, cpu, () => translator(cpu).regions > regions + 5);
  t.notOk(workshop.isHelped);
  t.ok(workshop.hasRoom);
});
