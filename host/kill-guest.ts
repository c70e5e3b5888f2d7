// The one punishment there is. A Guest that breaks the rules dies, with a reason that its Launcher can read; nothing
// else is hurt, and nothing is thrown: whoever finds the mistake carries on with harmless values until the run loop
// notices. The first reason wins, because what follows it is only its echo.
import type { LgCpu } from './guest.js';

export function killGuest(cpu: LgCpu, reason: string): void {
  if (cpu.life.state === 'dead') return;
  cpu.life = { state: 'dead', reason, restart: false };
  cpu.lg.log.debug(`killed: ${reason}`);
  cpu.lg.trace?.('killed', 0);
}

/** A Guest that asked for a restart gets one, whatever else it did wrong on the way: its last message stays. */
export function restartGuest(cpu: LgCpu): void {
  const reason = cpu.life.state === 'dead' ? cpu.life.reason : '';
  cpu.life = { state: 'dead', reason, restart: true };
}

/** C's `%#lx`: unlike every other number, zero gets no `0x`. */
export const hexWord = (word: number): string => (word >>> 0 === 0 ? '0' : `0x${(word >>> 0).toString(16)}`);

/** C's `%li`: a word as a signed number. */
export const signed = (word: number): string => String(word | 0);

/** The kernel's `%p`, on 32 bits. */
export const pointer = (word: number): string =>
  word >>> 0 === 0 ? '  (null)' : (word >>> 0).toString(16).padStart(8, '0');

/** What the Guest says, byte for byte: what it means is for whoever shows it. */
export const messageText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** A reason as read() gives it: the bytes that were put in, and a NUL. */
export const messageBytes = (reason: string): Uint8Array => Buffer.from(`${reason}\0`, 'latin1');
