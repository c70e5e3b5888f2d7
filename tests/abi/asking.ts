// Instructions that ask the machine what it is. No recording of a real CPU can say what they are to say here; a Guest in each
// ring executes every form of them, and what they say is held against what the Switcher set up.
import { formExamples, type FormExample } from '../../switcher/decode/all-forms.js';

export const ASKED: readonly string[] = 'cpuid int1 rdpmc rdtsc sgdt sidt sldt smsw str sysenter sysexit'.split(' ');

/** Each form of them, once. */
export const askedForms = (): FormExample[] => formExamples().filter(({ form }) => ASKED.includes(form.mnemonic));

/** Rings in which each is executed. */
export const ASKING_RINGS = [1, 3] as const;
