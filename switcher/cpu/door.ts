// At the door: what the CPU says to the Host's doorkeeper before it comes out.
import type { Doorkeeper } from '../switch.js';
import type { Memory } from './memory.js';
import * as State from './state.js';
import { mayAskHost } from './transfers.js';

/** The general registers, as words of the state: eax, ecx, edx, ebx, esp, ebp, esi, edi. */
const EAX = State.REGISTERS / 4;

/** Whether the Host has dealt with `int vector` at ring `cpl` at the door. */
export function servedAtTheDoor(
  doorkeeper: Doorkeeper | undefined,
  { state }: Memory,
  idt: Uint32Array,
  vector: number,
  cpl: number,
): boolean {
  if (doorkeeper === undefined || !mayAskHost(idt, vector, cpl)) return false;
  const eax = state[EAX] ?? 0;
  const ecx = state[EAX + 1] ?? 0;
  const edx = state[EAX + 2] ?? 0;
  const ebx = state[EAX + 3] ?? 0;
  const esi = state[EAX + 6] ?? 0;
  return doorkeeper.interrupt(vector, eax >>> 0, ebx >>> 0, ecx >>> 0, edx >>> 0, esi >>> 0);
}
