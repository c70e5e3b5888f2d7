// String instructions, alone and repeated.
//
// A repeated one may fault in the middle: registers then stand at the element that faulted, which is where it goes on. It
// also gives way every few thousand elements, or runs of them, by jumping to itself, so that interrupts are noticed.
import * as State from '../cpu/state.js';
import type { Form } from '../decode/instruction.js';
import type { Builder } from '../language/builder.js';
import { flagsOfSub } from '../language/flags.js';
import type { Value } from '../language/nodes.js';
import { charge } from './budget.js';
import { define } from './definition.js';
import { linearAddress } from './operands.js';
import { EAX, ECX, EDI, ESI } from './registers.js';
import { copyRun, copyRunDown, fillRun } from './string-runs.js';

const DF_SHIFT = 10;
/** So many bytes of a run are copied or filled in the time of a jump: 16. */
const BYTES_PER_JUMP_SHIFT = 4;

const SUFFIXES = { b: 1, w: 2, l: 4 } as const;

/** One string instruction at work: where its pointers are and how they move. */
class Strings {
  readonly b: Builder;
  readonly form: Form;
  readonly bytes: 1 | 2 | 4;
  readonly #indexBytes: 2 | 4;
  readonly #step: Value;
  /** 1 when DF is set: from high addresses to low. */
  readonly #down: Value;

  constructor(b: Builder, form: Form, bytes: 1 | 2 | 4) {
    this.b = b;
    this.form = form;
    this.bytes = bytes;
    this.#indexBytes = form.addressSize === 16 ? 2 : 4;
    this.#down = b.and(b.shrU(b.state(4, State.EFLAGS_REST), DF_SHIFT), 1);
    this.#step = b.select(this.#down, -bytes, bytes);
  }

  /** The address of the source element, in DS or the segment that a prefix names. */
  source(): Value {
    const offset = this.b.register(this.#indexBytes, ESI);
    if (this.form.addressing === 'flat') return offset;
    return linearAddress(this.b, this.b.field('segment'), offset, this.bytes, 0);
  }

  /** The address of the destination element, always in ES. */
  destination(write: boolean): Value {
    const offset = this.b.register(this.#indexBytes, EDI);
    if (this.form.addressing === 'flat') return offset;
    return linearAddress(this.b, this.b.i32(State.ES * State.SEGMENT_SIZE), offset, this.bytes, write ? 1 : 0);
  }

  advance(register: typeof ESI | typeof EDI): void {
    this.b.setRegister(this.#indexBytes, register, this.b.add(this.b.register(this.#indexBytes, register), this.#step));
  }

  /**
   * Does `element` once, or ecx times, by runs of many where `run` can: it takes a number of bytes, and whether they are to
   * be done from high addresses to low, and gives those done.
   */
  repeatInRuns(
    element: () => void,
    registers: readonly (typeof ESI | typeof EDI)[],
    run: (bytes: Value, down: Value) => Value,
  ): void {
    const { b } = this;
    if (this.form.repeat === 'none' || this.form.addressing !== 'flat') {
      this.repeat(element);
      return;
    }
    const shift = this.bytes >> 1;
    this.repeat(() => {
      const count = b.register(4, ECX);
      const turn = b.state(4, State.STRING_TURN);
      const elements = b.select(b.ltU(count, turn), count, turn);
      const done = run(b.shl(elements, shift), this.#down);
      const step = b.select(this.#down, b.sub(0, done), done);
      b.when(
        done,
        () => {
          for (const register of registers) b.setRegister(4, register, b.add(b.register(4, register), step));
          // The repetition takes one of them away itself.
          b.setRegister(4, ECX, b.sub(count, b.sub(b.shrU(done, shift), 1)));
          charge(b, b.shrU(done, BYTES_PER_JUMP_SHIFT));
        },
        element,
      );
    });
  }

  /**
   * Does `element` once, or ecx times; `goOn`, asked after each element, ends a repetition early. `givingWay` is what there
   * is to do when it will go on later.
   */
  repeat(element: () => void, goOn?: () => Value, givingWay?: () => void): void {
    const { b } = this;
    if (this.form.repeat === 'none') {
      element();
      return;
    }
    const turn = b.variable('i32', b.state(4, State.STRING_TURN));
    b.loop((loop) => {
      const count = b.register(this.#indexBytes, ECX);
      b.breakIf(loop, b.eqz(count));
      b.when(b.eqz(b.get(turn)), () => {
        givingWay?.();
        charge(b, b.state(4, State.STRING_TURN));
        b.jump(b.field('eip'));
      });
      b.set(turn, b.sub(b.get(turn), 1));
      element();
      b.setRegister(this.#indexBytes, ECX, b.sub(b.register(this.#indexBytes, ECX), 1));
      if (goOn) b.breakIf(loop, b.eqz(goOn()));
    });
    charge(b, b.sub(b.state(4, State.STRING_TURN), b.get(turn)));
  }
}

/** Defines `name`b, `name`w and `name`l. */
function defineString(name: string, definition: (strings: Strings) => void): void {
  for (const [suffix, bytes] of Object.entries(SUFFIXES)) {
    define(name + suffix, (b, _operands, form) => definition(new Strings(b, form, bytes)));
  }
}

defineString('movs', (s) =>
  s.repeatInRuns(
    () => {
      const element = s.b.load(s.bytes, s.source());
      s.b.store(s.bytes, s.destination(true), element);
      s.advance(ESI);
      s.advance(EDI);
    },
    [ESI, EDI],
    (bytes, down) => {
      const { b } = s;
      const operands = [b.register(4, ESI), b.register(4, EDI), bytes, s.bytes] as const;
      const done = b.variable('i32', 0);
      b.when(
        down,
        () => b.set(done, b.call(copyRunDown, ...operands)),
        () => b.set(done, b.call(copyRun, ...operands)),
      );
      return b.get(done);
    },
  ),
);

defineString('stos', (s) =>
  s.repeatInRuns(
    () => {
      s.b.store(s.bytes, s.destination(true), s.b.register(s.bytes, EAX));
      s.advance(EDI);
    },
    [EDI],
    (bytes, down) => {
      const { b } = s;
      return b.call(fillRun, b.register(4, EDI), b.register(s.bytes, EAX), b.select(down, 0, bytes), s.bytes);
    },
  ),
);

defineString('lods', (s) =>
  s.repeat(() => {
    s.b.setRegister(s.bytes, EAX, s.b.load(s.bytes, s.source()));
    s.advance(ESI);
  }),
);

/** cmps and scas: the last comparison makes the flags; equality or its lack ends a repetition. */
function compare(s: Strings, operands: () => [left: Value, right: Value], advance: () => void): void {
  const { b } = s;
  const left = b.variable('i32', 0);
  const right = b.variable('i32', 0);
  const compared = b.variable('i32', 0);
  const setFlags = (): void => {
    const [l, r] = [b.get(left), b.get(right)];
    flagsOfSub(b, s.bytes === 1 ? 8 : s.bytes === 2 ? 16 : 32, l, r, b.sub(l, r), 'cmp');
  };
  s.repeat(
    () => {
      const [l, r] = operands();
      b.set(left, l);
      b.set(right, r);
      b.set(compared, 1);
      advance();
    },
    () => {
      const [l, r] = [b.get(left), b.get(right)];
      return s.form.repeat === 'rep' ? b.eq(l, r) : b.ne(l, r);
    },
    setFlags,
  );
  // A repetition of nothing leaves the flags alone.
  b.when(b.get(compared), setFlags);
}

defineString('cmps', (s) =>
  compare(
    s,
    () => {
      const left = s.b.load(s.bytes, s.source());
      return [left, s.b.load(s.bytes, s.destination(false))];
    },
    () => {
      s.advance(ESI);
      s.advance(EDI);
    },
  ),
);

defineString('scas', (s) =>
  compare(
    s,
    () => [s.b.register(s.bytes, EAX), s.b.load(s.bytes, s.destination(false))],
    () => s.advance(EDI),
  ),
);
