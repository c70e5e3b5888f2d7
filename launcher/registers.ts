// The Guest's registers, by the same way the original's Launcher has to them: one write() asks, one read() answers.
import { EINVAL } from '../guest-abi/errno.js';
import { LHREQ, type PT_REGS } from '../guest-abi/lguest-launcher.js';
import { Bug } from '../lib/errors.js';
import type { LguestFd } from './context.js';

/** Registers by their place in PT_REGS: those that can be read, and those that can be set (the others are the Guest's own). */
export type ReadableRegister = (typeof PT_REGS)[Exclude<keyof typeof PT_REGS, 'orig_eax'>];
export type SettableRegister = (typeof PT_REGS)['eax' | 'ebx' | 'ecx' | 'edx' | 'esi' | 'edi' | 'ebp' | 'esp' | 'eip'];

export class GuestRegisters {
  readonly #lguest: LguestFd;
  /** Messages are made once and filled in: a Linux with an early console touches ports forty thousand times. */
  readonly #get = Uint32Array.of(LHREQ.LHREQ_GETREG, 0);
  readonly #set = Uint32Array.of(LHREQ.LHREQ_SETREG, 0, 0);
  readonly #answer = new Uint32Array(1);
  readonly #answerBytes = new Uint8Array(this.#answer.buffer);

  constructor(lguest: LguestFd) {
    this.#lguest = lguest;
  }

  /** Precondition: the Guest is alive and stopped. */
  get(register: ReadableRegister): number {
    this.#get[1] = register;
    if (this.#lguest.write(this.#get) < 0) throw new Bug(`Getting register ${register}`);
    if (this.#lguest.read(this.#answerBytes) < 0) throw new Bug(`Reading register ${register}`);
    return this.#answer[0] ?? 0;
  }

  /** Precondition: the Guest is alive and stopped. */
  set(register: SettableRegister, value: number): void {
    this.#set[1] = register;
    this.#set[2] = value;
    if (this.#lguest.write(this.#set) < 0) throw new Bug(`Setting register ${register}`);
  }

  /** Hands trap `number` to the Guest. False when it has nothing to take it with. */
  trap(number: number): boolean {
    const result = this.#lguest.write(Uint32Array.of(LHREQ.LHREQ_TRAP, number));
    if (result < 0 && result !== -EINVAL) throw new Bug(`Reinjecting trap ${number}: errno ${-result}`);
    return result >= 0;
  }

  raiseInterrupt(irq: number): void {
    // A Guest that is dead already does not mind.
    this.#lguest.write(Uint32Array.of(LHREQ.LHREQ_IRQ, irq));
  }
}
