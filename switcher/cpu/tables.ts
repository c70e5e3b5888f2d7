// The tables that the Host writes and the CPU goes by.
export interface CpuTables {
  readonly gdt: Uint32Array;
  readonly idt: Uint32Array;
  readonly tss: { ss1: number; esp1: number };
}
