// Random programs that travel between the rings: through gates and back by iret, retf and far jumps, with faults on the way,
// single steps, segments loaded, code changed, stacks on pages that have run.
//
// A program is made of pieces, each of which leaves the stack as it found it, so that any piece can go and the rest is still a
// program: that is how a failing one is made small. What QEMU is known to do otherwise (see differences) is not in them.
import { Random } from '../differential/random.js';
import type { Gate, RingCase } from './case.js';
import { PLAIN, TF, half, hex, load, push, word } from './cases/encode.js';
import {
  CODE,
  DATA,
  HANDLER,
  KERNEL_PAGE,
  KERNEL_STACK,
  NO_PAGE,
  READ_ONLY_PAGE,
  SELECTOR,
  STACK,
  selectorsOf,
} from './world.js';

/** Bytes for the place where they come to lie. */
type Piece = (address: number) => readonly number[];

interface Handler {
  readonly gate: Gate;
  readonly pieces: readonly Piece[];
  /** What it ends with. */
  readonly end: readonly number[];
}

export interface Program {
  readonly seed: number;
  readonly start: Pick<RingCase, 'ring' | 'registers' | 'eflags' | 'stack1'>;
  readonly main: readonly Piece[];
  /** Where handlers of faults go on. */
  readonly after: readonly Piece[];
  readonly handlers: readonly Handler[];
}

const AFTER = CODE + 0x800;
const OUT = 0x90;
const HANDLER_SIZE = 0x100;
const STOP = [0xcd, OUT];
/** By number; not esp, and not ecx, which counts. */
const REGISTERS = [0, 2, 3, 5, 6, 7] as const;
const EXCEPTIONS_WITHOUT_CODE = [0, 6];
const EXCEPTIONS_WITH_CODE = [11, 12, 13];
const IRET = 0xcf;

/** QEMU looks at no limits and no kinds of segments, so that what is in ds and es has to be good for everything. */
const DATA_SELECTORS = [SELECTOR.data1 | 1, SELECTOR.data3 | 3, SELECTOR.data3, SELECTOR.absentData3, 0x104] as const;
const SELECTORS = selectorsOf(
  'data1|1 data3|3 data3 readOnly3|3 conforming1|1 code3|3 conforming3|3 0 absentData3|3 executeOnly3 104',
);

/** `call` to the next instruction, `pop eax; add eax, 3 + beyond`: eax is then `beyond` bytes behind that. */
const here = (beyond: number): number[] => [...hex('e8 00 00 00 00 58 83 c0'), 4 + beyond];

const fixed =
  (...bytes: readonly number[]): Piece =>
  () =>
    bytes;

class Maker {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  #selector(): number {
    return SELECTORS[this.#random.below(SELECTORS.length)] ?? 0;
  }

  #register(): number {
    return this.#random.pick(REGISTERS);
  }

  #place(): number {
    const offset = this.#random.below(64) * 4;
    return this.#random.oneIn(12)
      ? this.#random.pick([KERNEL_PAGE, READ_ONLY_PAGE, NO_PAGE, NO_PAGE - 2]) + offset
      : DATA + offset;
  }

  /** What can be done without leaving the ring. */
  plain(): Piece {
    const random = this.#random;
    const [a, b] = [this.#register(), this.#register()];
    switch (random.below(12)) {
      case 0:
        return fixed(0xb8 + a, ...word(random.value()));
      case 1:
        return fixed(0x81, 0xc0 | (random.below(8) << 3) | a, ...word(random.value()));
      case 2:
        return fixed((random.below(8) << 3) | 1, 0xc0 | (b << 3) | a);
      case 3:
        return fixed(0x8b, 0x05 | (a << 3), ...word(this.#place()));
      case 4:
        return fixed(0x89, 0x05 | (a << 3), ...word(this.#place()));
      case 5:
        return fixed(0x50 + a, 0x58 + b);
      case 6:
        return fixed(0x0f, 0x90 + random.below(16), 0x05, ...word(DATA + random.below(256)));
      case 7:
        // lar, lsl
        return fixed(0x66, 0xb8, ...half(this.#selector()), 0x0f, random.pick([0x02, 0x03]), 0xc0 | (a << 3));
      case 8:
        return fixed(0x9c, 0x58 + a);
      case 9:
        return fixed(random.pick([0x40, 0x48]) + a);
      case 10:
        // Writes the number that its last instruction loads: its page is one of code.
        return (address) => [0xc7, 0x05, ...word(address + 11), ...word(random.value()), 0xb8 + a, ...word(0)];
      default:
        return fixed(random.pick([0xf5, 0xf8, 0xf9, 0xfc, 0x90]));
    }
  }

  #segment(): Piece {
    const random = this.#random;
    const [data, any] = [random.pick(DATA_SELECTORS), this.#selector()];
    switch (random.below(6)) {
      case 0:
        return fixed(...push(data), random.pick([0x07, 0x1f]));
      case 1:
        return fixed(...push(any), 0x0f, random.pick([0xa1, 0xa9]));
      case 2:
        // mov eax, ss; mov ss, eax
        return fixed(...hex('8c d0 8e d0'));
      case 3:
        return fixed(...hex('1e 07'));
      case 4:
        return fixed(...load(random.pick(['ds', 'es']), data));
      default:
        return fixed(...load(random.pick(['fs', 'gs']), any));
    }
  }

  /** To another place, perhaps in another ring; it goes on behind the piece. */
  #transfer(): Piece {
    const random = this.#random;
    switch (random.below(9)) {
      case 0:
        // pushf; push cs; …; push eax; iret
        return fixed(0x9c, 0x0e, ...here(2), 0x50, IRET);
      case 1:
        return fixed(0x0e, ...here(2), 0x50, 0xcb);
      case 2: {
        // To ring 3, from where it is allowed.
        const esp = STACK - 0x100 - 16 * random.below(8);
        return fixed(
          ...push(SELECTOR.data3 | 3),
          ...push(esp),
          0x9c,
          ...push(SELECTOR.code3 | 3),
          ...here(2),
          0x50,
          IRET,
          // ds and es are null now.
          ...[SELECTOR.data3 | 3, SELECTOR.data3 | 3].flatMap(push),
          ...hex('1f 07'),
        );
      }
      case 3:
        return (address) => [0xea, ...word(address + 7), ...half(SELECTOR.conforming1)];
      case 4:
        return (address) => [0x9a, ...word(address + 7), ...half(SELECTOR.conforming1), 0x58, 0x58];
      case 5:
        return fixed(0xcc);
      case 6:
        return fixed(0xce);
      default:
        return fixed(0xcd, random.pick([0x80, 0x80, 0x81, 0x83]));
    }
  }

  #fault(): Piece {
    return fixed(...this.#random.pick([hex('0f 0b'), hex('31 c9 f7 f1'), [0xf4], [0xfa], [0xec], [0xcd, 0x82]]));
  }

  #flags(): Piece {
    const random = this.#random;
    const image = random.word() & (random.oneIn(3) ? 0x204ed5 : 0x200ed5) & (random.oneIn(2) ? ~TF : -1);
    return fixed(...push(image | PLAIN), 0x9d);
  }

  #loop(): Piece {
    const turns = 2 + this.#random.below(20);
    const inner = this.#random.oneIn(2) ? this.plain() : this.#transfer();
    const more = this.plain();
    return (address) => {
      const first = inner(address + 5);
      const body = [...first, ...more(address + 5 + first.length)];
      // mov ecx, turns; …; dec ecx; jnz
      return [0xb9, ...word(turns), ...body, 0x49, 0x0f, 0x85, ...word(-body.length - 7)];
    };
  }

  piece(): Piece {
    const random = this.#random;
    switch (random.below(14)) {
      case 0:
      case 1:
        return this.#segment();
      case 2:
      case 3:
      case 4:
        return this.#transfer();
      case 5:
        return random.oneIn(2) ? this.#fault() : this.plain();
      case 6:
        return this.#flags();
      case 7:
      case 8:
        return this.#loop();
      default:
        return this.plain();
    }
  }

  some(most: number, make: () => Piece): Piece[] {
    return Array.from({ length: this.#random.below(most + 1) }, make);
  }
}

/** The program with this number. */
export function randomProgram(seed: number): Program {
  const random = new Random(seed);
  const maker = new Maker(random);
  const pieces = (most: number): Piece[] => maker.some(most, () => maker.plain());
  const gate = (vector: number, number: number): Gate => ({
    vector,
    selector: vector === 0x83 ? SELECTOR.conforming1 : SELECTOR.code1 | random.below(4),
    dpl: vector === 0x82 ? 1 : 3,
    type: random.oneIn(2) ? 'interrupt' : 'trap',
    offset: HANDLER + 0x10 + number * HANDLER_SIZE,
  });
  const toAfter = [0xc7, 0x04, 0x24, ...word(AFTER), IRET];
  const asked = [0x80, 0x81, 0x82, 0x83, 3, 4].map((vector) => ({ vector, end: [IRET] }));
  const faults = EXCEPTIONS_WITHOUT_CODE.map((vector) => ({ vector, end: toAfter }));
  const faultsWithCode = EXCEPTIONS_WITH_CODE.map((vector) => ({ vector, end: [...hex('83 c4 04'), ...toAfter] }));
  // Between any two instructions: it must not disturb them. `inc edi`
  const steps = { vector: 1, end: [0x47, IRET] };
  // Some lead out, as most gates do.
  const handlers = [...asked, ...faults, ...faultsWithCode, steps].filter(() => !random.oneIn(4));
  return {
    seed,
    start: {
      ring: random.pick([1, 3]),
      registers: Object.fromEntries(
        (['eax', 'edx', 'ebx', 'ebp', 'esi', 'edi'] as const).map((name) => [name, random.value()]),
      ),
      eflags: PLAIN | (random.oneIn(8) ? TF : 0),
      stack1: {
        ss: SELECTOR.data1 | 1,
        // Its own page, one of ring 1, one with handlers, the program's.
        esp: random.pick([KERNEL_STACK, KERNEL_STACK, KERNEL_PAGE + 0x800, HANDLER + 0xffc, CODE + 0x800]),
      },
    },
    main: maker.some(10, () => maker.piece()),
    after: maker.some(4, () => maker.plain()),
    handlers: handlers.map(({ vector, end }, number) => ({
      gate: gate(vector, number),
      pieces: vector === steps.vector ? [] : pieces(3),
      end,
    })),
  };
}

function layOut(address: number, pieces: readonly Piece[], end: readonly number[]): readonly [number, number[]] {
  const bytes: number[] = [];
  for (const piece of pieces) bytes.push(...piece(address + bytes.length));
  return [address, [...bytes, ...end]];
}

export function caseOf({ seed, start, main, after, handlers }: Program): RingCase {
  const [, code] = layOut(CODE, main, STOP);
  return {
    section: 'random',
    name: String(seed),
    ...start,
    code,
    gates: [
      ...handlers.map((handler) => handler.gate),
      { vector: OUT, selector: SELECTOR.lguestCs, dpl: 3, type: 'interrupt', offset: 0 },
    ],
    memory: [layOut(AFTER, after, STOP), ...handlers.map(({ gate, pieces, end }) => layOut(gate.offset, pieces, end))],
  };
}

const without = <T>(list: readonly T[], i: number): readonly T[] => list.filter((_, at) => at !== i);

/** The same program with one piece less, in every way. */
export function* smaller(program: Program): Generator<Program> {
  for (const i of program.main.keys()) yield { ...program, main: without(program.main, i) };
  for (const i of program.after.keys()) yield { ...program, after: without(program.after, i) };
  for (const [i, handler] of program.handlers.entries()) {
    yield { ...program, handlers: without(program.handlers, i) };
    for (const j of handler.pieces.keys()) {
      const less = { ...handler, pieces: without(handler.pieces, j) };
      yield { ...program, handlers: program.handlers.map((one, at) => (at === i ? less : one)) };
    }
  }
}
