// The Guest's registers, by the same way the original's Launcher has to them: one write() asks, one read() answers.
import { EINVAL } from '../guest-abi/errno.js';
import { LHREQ, PT_REGS } from '../guest-abi/lguest-launcher.js';
import { Bug } from '../lib/errors.js';
import type { LguestFd } from './context.js';

/** Registers that can be read, and those that can be set (the Host refuses the others: they are not the Launcher's). */
export type ReadableRegister = Exclude<keyof typeof PT_REGS, 'orig_eax'>;
export type SettableRegister = 'eax' | 'ebx' | 'ecx' | 'edx' | 'esi' | 'edi' | 'ebp' | 'esp' | 'eip';

export class GuestRegisters {
  readonly #lguest: LguestFd;
  /** Messages are built in place: port I/O comes in storms of a hundred thousand. */
  readonly #message = new Uint32Array(3);
  readonly #request = this.#message.subarray(0, 2);
  readonly #answer = new Uint32Array(1);
  readonly #answerBytes = new Uint8Array(this.#answer.buffer);

  constructor(lguest: LguestFd) {
    this.#lguest = lguest;
  }

  /** Precondition: the Guest is alive and stopped. */
  get(register: ReadableRegister): number {
    this.#message[0] = LHREQ.LHREQ_GETREG;
    this.#message[1] = PT_REGS[register];
    if (this.#lguest.write(this.#request) < 0) throw new Bug(`Getting register ${register}`);
    if (this.#lguest.read(this.#answerBytes) < 0) throw new Bug(`Reading register ${register}`);
    return this.#answer[0] ?? 0;
  }

  /** Precondition: the Guest is alive and stopped. */
  set(register: SettableRegister, value: number): void {
    this.#message[0] = LHREQ.LHREQ_SETREG;
    this.#message[1] = PT_REGS[register];
    this.#message[2] = value;
    if (this.#lguest.write(this.#message) < 0) throw new Bug(`Setting register ${register}`);
  }

  /** Hands trap `number` to the Guest. False when it has nothing to take it with. */
  trap(number: number): boolean {
    this.#message[0] = LHREQ.LHREQ_TRAP;
    this.#message[1] = number;
    const result = this.#lguest.write(this.#request);
    if (result < 0 && result !== -EINVAL) throw new Bug(`Reinjecting trap ${number}: errno ${-result}`);
    return result >= 0;
  }

  raiseInterrupt(irq: number): void {
    this.#message[0] = LHREQ.LHREQ_IRQ;
    this.#message[1] = irq;
    // A Guest that is dead already does not mind.
    this.#lguest.write(this.#request);
  }
}
