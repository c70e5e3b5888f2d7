// `npm run bench:operations [-- --rounds 7]`: what single operations cost, on the real CPU behind a real device.
//
// Each operation is a Guest of a few instructions that does it some thousand times. What the same Guest without the operation
// takes is subtracted. Times are of this process's processor, so that a busy machine only makes them coarser.
import { LGUEST_DATA } from '../guest-abi/lguest-data.js';
import { LGUEST_PENDING, LGUEST_PENDING_INSN_SIZE, LGUEST_PENDING_SIZE, LHREQ } from '../guest-abi/lguest-launcher.js';
import { Bus } from '../launcher/bus.js';
import { EAGAIN, EINTR } from '../host/device.js';
import { silentLogger } from '../lib/log.js';
import {
  CODE,
  CodeGuest,
  DATA,
  KERNEL,
  STACK_TOP,
  call,
  code,
  done,
  gate,
  store,
  toUser,
  word,
} from '../tests/support/code-guest.js';
import { DEVICE_OPERATIONS } from './device-operations.js';
import type { Operation, Trial } from './operation.js';
import { digits, formatTable, median } from './table.js';
import { parseOptions } from '../tests/support/options.js';

const options = parseOptions({ rounds: { type: 'string', default: '5' }, only: { type: 'string' } });

const HANDLER = KERNEL + CODE + 0x2000;
const HANDLER_AT = CODE + 0x2000;
const DIRECTORY = 0x4000;
const SECOND_DIRECTORY = 0x7000;
const PAGE = 4096;
const TRAP_GENERAL_PROTECTION = 13;
const MICROSECONDS_PER_SECOND = 1e6;
/** In the Guest's page table, which maps all its RAM: pages that nothing else touches. */
const FREE_PAGES = KERNEL + 0x28000;
const PAGES_TOUCHED = 16;

/** `mov edi, count; again: body; dec edi; jnz again` */
function loop(count: number, body: readonly number[]): number[] {
  const back = -(body.length + 1 + 6);
  return [0xbf, ...word(count), ...body, 0x4f, 0x0f, 0x85, ...word(back)];
}

/** A Guest that needs nobody until it says "done". */
function alone(guest: CodeGuest): Trial {
  return {
    run() {
      const end = guest.run(1e6);
      if (!end.includes('done')) throw new Error(`the Guest ended with ${end}`);
    },
  };
}

/** A Guest that a Launcher with an empty bus serves. */
function served(guest: CodeGuest): Trial {
  const { device, memory } = guest;
  const bus = new Bus({ memory, lguest: device, log: silentLogger, fatal: fail });
  const buffer = new Uint8Array(256);
  const insn = buffer.subarray(LGUEST_PENDING.insn, LGUEST_PENDING.insn + LGUEST_PENDING_INSN_SIZE);
  const pending = new DataView(buffer.buffer);
  return {
    run() {
      for (;;) {
        const result = device.read(buffer);
        if (result === -EINTR) continue;
        if (result !== LGUEST_PENDING_SIZE) return;
        if (pending.getUint8(LGUEST_PENDING.trap) === TRAP_GENERAL_PROTECTION) bus.instruction(insn);
        else bus.deviceMemory(pending.getUint32(LGUEST_PENDING.addr, true), insn);
      }
    },
  };
}

function fail(message: string): never {
  throw new Error(message);
}

/** In a loop of the kernel's. */
const inKernel = (name: string, count: number, body: readonly number[], before: readonly number[] = []): Operation => ({
  name,
  count,
  trial: (times) => alone(new CodeGuest([...before, ...(times === 0 ? loop(count, []) : loop(times, body)), ...done])),
});

const touch = (address: number): number[] => code('80 05').concat(word(address), 1);
const touches = (pages: number): number[] =>
  Array.from({ length: pages }, (_, i) => touch(FREE_PAGES + i * PAGE)).flat();

/** LHCALL_FLUSH_TLB with 1 forgets every mapping, of the kernel too; what is measured is the difference that more pages make. */
const pageFault: Operation = {
  name: 'page fault mended by demand paging',
  count: 2000 * PAGES_TOUCHED,
  trial: (times) => {
    const body = [...call('LHCALL_FLUSH_TLB', 1), ...touches(times === 0 ? 0 : PAGES_TOUCHED)];
    return alone(new CodeGuest([...loop(2000, body), ...done]));
  },
};

/** A data segment for ring 3, and mov $0x7b,%eax; mov %eax,%ds; mov %eax,%es: as Linux has them in both rings. */
const USER_DATA_SEGMENTS = [
  ...call('LHCALL_LOAD_GDT_ENTRY', 15, 0xffff, 0x00cff200),
  ...code('b8 7b 00 00 00 8e d8 8e c0'),
];

const systemCall: Operation = {
  name: 'system call: int $0x80, iret',
  count: 100_000,
  trial: (times) => {
    const kernel = [
      ...gate(0x80, HANDLER, 'trap', 3),
      ...gate(6, HANDLER + 0x100),
      ...call('LHCALL_SET_STACK', 0x69, KERNEL + STACK_TOP, 1),
      ...USER_DATA_SEGMENTS,
      ...toUser(),
    ];
    const user = [...(times === 0 ? loop(systemCall.count, []) : loop(times, code('cd 80'))), ...code('0f 0b')];
    return alone(new CodeGuest(kernel, user).put(HANDLER_AT, code('cf')).put(HANDLER_AT + 0x100, done));
  },
};

/** A halted Guest is woken by an interrupt, whose handler returns, and halts again. */
const interrupt: Operation = {
  name: 'interrupt for a halted Guest: delivery, iret, halt',
  count: 20_000,
  trial: (times) => {
    const enable = store(KERNEL + DATA + LGUEST_DATA.irq_enabled, 0x200);
    const halt = [...enable, ...call('LHCALL_HALT')];
    const guest = new CodeGuest([...gate(33, HANDLER), ...halt, 0xe9, ...word(-(halt.length + 5))]);
    guest.put(HANDLER_AT, code('cf'));
    const buffer = new Uint8Array(256);
    const raise = Uint32Array.of(LHREQ.LHREQ_IRQ, 1);
    const untilHalted = (): void => {
      let result = guest.device.read(buffer);
      while (result === -EINTR) result = guest.device.read(buffer);
      if (result !== -EAGAIN) throw new Error(`a Guest that should sleep gave ${result}`);
    };
    return {
      run() {
        untilHalted();
        for (let i = 0; i < times; i++) {
          guest.device.write(raise);
          untilHalted();
        }
      },
    };
  },
};

const switchTo = (directory: number): number[] => [...call('LHCALL_NEW_PGTABLE', directory), ...touch(FREE_PAGES)];

const contextSwitch: Operation = {
  name: 'context switch: LHCALL_NEW_PGTABLE to a known directory, a page touched',
  count: 20_000,
  trial: (times) => {
    const body = [...switchTo(SECOND_DIRECTORY), ...switchTo(DIRECTORY)];
    const guest = new CodeGuest([...loop(contextSwitch.count / 2, times === 0 ? [] : body), ...done]);
    guest.memory.bytes.copyWithin(SECOND_DIRECTORY, DIRECTORY, DIRECTORY + PAGE);
    guest.memory.wrote(SECOND_DIRECTORY, PAGE);
    return alone(guest);
  },
};

const portExit: Operation = {
  name: 'port exit to the Launcher: in %dx,%al',
  count: 50_000,
  trial: (times) => {
    const body = times === 0 ? [] : code('ec');
    return served(new CodeGuest([0xba, ...word(0x61), ...loop(portExit.count, body), ...done]));
  },
};

const OPERATIONS: readonly Operation[] = [
  inKernel('hypercall: LHCALL_SET_CLOCKEVENT', 100_000, call('LHCALL_SET_CLOCKEVENT', 0)),
  pageFault,
  systemCall,
  interrupt,
  contextSwitch,
  portExit,
  ...DEVICE_OPERATIONS,
];

/** Seconds of processor time that a trial takes. */
function time(trial: Trial): number {
  const before = process.cpuUsage();
  trial.run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / MICROSECONDS_PER_SECOND;
}

const rows = OPERATIONS.filter(({ name }) => name.includes(options.only ?? '')).map((operation) => {
  const { name, count } = operation;
  const costs: number[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    const none = time(operation.trial(0));
    costs.push(((time(operation.trial(count)) - none) / count) * 1e9);
  }
  return [name, String(count), digits(median(costs)), digits(Math.min(...costs)), digits(Math.max(...costs))];
});
process.stdout.write(
  `Nanoseconds of processor time, ${options.rounds} rounds\n\n${formatTable(['operation', 'times', 'median', 'least', 'most'], rows)}\n`,
);
