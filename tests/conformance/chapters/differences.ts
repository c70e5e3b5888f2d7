// What remains different from the processor that answers were recorded on, or from the original Host and Launcher, and why.
import type { Chapter } from '../chapter.js';

interface Remaining {
  readonly what: string;
  readonly why: string;
}

const REMAINING: readonly Remaining[] = [
  {
    what: 'Flags that the manual leaves undefined (after shifts by more than one, `mul`, `div`, `bsf`, `aaa` and others) may differ from a real CPU.',
    why: 'CPUs differ from each other; cleared is cheapest. Comparisons mask them, case by case.',
  },
  {
    what: 'Transcendental x87 results may differ in the last place.',
    why: 'The manual promises less than one unit; ours are rounded correctly.',
  },
  {
    what: '`rcpps`, `rsqrtps` and their scalars differ in bits below 1.5 × 2^−12.',
    why: 'The manual promises that relative error and no table of values.',
  },
  {
    what: 'Which byte of a `cmps` with two bad operands, or of an FPU image over a bad page, faults first.',
    why: 'The manual gives no order. The page is the same.',
  },
  {
    what: '`cpuid`, `rdtsc`, `sgdt`, `sidt`, `sldt`, `str`, `smsw`: compared with what they are to say, not with a real CPU.',
    why: 'They ask the machine what it is.',
  },
  {
    what: 'An access that runs over the end of the 4 GiB by a flat segment is a page fault; real CPUs raise #GP.',
    why: 'The manual leaves it to the CPU, and the last page is the Switcher’s: one fault or the other.',
  },
  {
    what: 'A near jump, call or return beyond the limit of cs is #GP(0) at its target, not at itself.',
    why: 'Nobody’s code ends at such a limit: Linux’s segments for code are 4 GiB. Far transfers, gates and `iret` are exact.',
  },
  {
    what: 'A far jump or call to a TSS or a gate in the GDT is #GP of its selector.',
    why: 'There are no tasks to switch to, and the Host’s GDT makes every call gate into something that is none.',
  },
  {
    what: 'x87 instruction and data pointers are as Intel’s manual has them; where a recording comes from a CPU that keeps them otherwise, they are left out of the comparison.',
    why: 'Makes differ.',
  },
  {
    what: 'What `shld` and `shrd` of 16 bits by more than 16 leave is not what a recording CPU leaves; MXCSR_MASK is ffff.',
    why: 'The manual calls the first undefined; the second says what a CPU has, and misaligned SSE is one make’s extension.',
  },
  {
    what: '`loopz` and `loopnz` take no notice of F2 and F3, `lock mov` of CR0 is no CR8, and what an undefined opcode would have for operands is not fetched.',
    why: 'One make of CPU does otherwise; the manual reserves all three. Random cases leave them out.',
  },
  {
    what: 'Of QEMU’s and valgrind’s programs those are left out that need an LDT, virtual-8086 mode, or instructions that `cpuid` does not offer.',
    why: 'An lguest Guest has no LDT and no such mode.',
  },
  {
    what: 'A bad driver ends its own run with the original’s words. Of what the original took for one, some is allowed: FAILED stops the device, the status it has may be written again, queue 0 is selected from the start.',
    why: 'The original’s Launcher ended. The specification allows these, and other Guests live in this process.',
  },
  {
    what: 'A request beyond the end of a disk fails, and types of requests that are none are refused.',
    why: 'The original ended at a write beyond the end, gave stale memory for a read, and took every unknown type for a read.',
  },
  {
    what: 'A read through a configuration window that leads nowhere shows the word that it had.',
    why: 'The original’s Launcher ended: a dump of the bus was the end of a Guest.',
  },
  {
    what: '-EPERM is for a read from inside a read.',
    why: 'There is one thread, so there is no other task to refuse.',
  },
  {
    what: 'LHREQ_INITIALIZE is -EFAULT for memory that is not there and -EINVAL for limits that make no sense; read() is -EFAULT for a buffer without room, and nothing has run.',
    why: 'The original finds out page by page, when the Guest has long begun.',
  },
  {
    what: 'No Guest dies of `failed to get page`, `Fetching async hypercalls`, `Writing result for async hypercall`, `Writing timestamp`, `Writing cr2`, `Disabling interrupts`, `Re-enabling interrupts`, `out of memory allocating …`, `Cannot populate switcher mapping`.',
    why: 'Its memory was had when it began and does not go away; shadow tables have no pages to run out of.',
  },
  {
    what: 'irq_pending goes back to 0 when nothing waits any more; irq_enabled is bit 9 of its word.',
    why: 'The original never cleared the one, and took an eflags image without IF for enabled: neither was meant.',
  },
  {
    what: 'The error code of a page fault says whether the Guest’s own tables have a page there, and all levels of them count.',
    why: 'The original’s came from its shadow tables: Linux 4.12 turned in circles, and so did a Guest whose directory forbade what its PTE allowed.',
  },
  {
    what: 'LHCALL_SET_STACK that kills stores nothing; LHCALL_SET_PGD kills for the entry behind the last; LHCALL_SET_PTE does not look for pages in entries that are not present, and maps writable only what is dirty.',
    why: 'The original went on with a bad stack, read past the end of its table, looked for page numbers in swap entries, and missed the first write to a page that had only been read.',
  },
  {
    what: 'System descriptors of a Guest never reach the CPU.',
    why: 'A call gate could name the Host’s code segment. The original trusted that forcing the accessed bit made them something else.',
  },
  {
    what: 'The command ends with 0 after a power-off, 34 after a panic, 33 when the Guest was killed; restarts go on in the same process.',
    why: 'Scripts want to know. With `LGUEST_COMPAT=c` it is 1 for all of them, as in the original.',
  },
  {
    what: 'A kernel and an initrd that gzip packed are unpacked before the Guest begins, unless `--no-unpack` says otherwise.',
    why: 'The original left both to the Guest, on a CPU that was not emulated. What the Guest finds when it has unpacked them is the same.',
  },
  {
    what: 'LHCALL_TS (8) is known in every era.',
    why: 'Kernels before 4.10 make it, and none else makes it for something else.',
  },
];

export const differences: Chapter = {
  title: 'What remains different, and why',
  claims: [],
  body: () => REMAINING.map(({ what, why }) => `- ${what} ${why}`).join('\n'),
};
