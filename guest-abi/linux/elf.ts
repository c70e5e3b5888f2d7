// ELF as far as a kernel loader needs it: the file header and the program headers of 32-bit files. Names as in elf.h.

/** "\x7fELF", little-endian. */
export const ELFMAG = 0x464c457f;

/** Offsets in e_ident. */
export const EI_CLASS = 4;
export const EI_DATA = 5;
export const ELFCLASS32 = 1;
export const ELFCLASS64 = 2;
export const ELFDATA2LSB = 1;
export const ELFDATA2MSB = 2;

/** `Elf32_Ehdr`. e_type and e_machine have the same offsets in `Elf64_Ehdr`. */
export const Elf32_Ehdr = {
  e_type: 16,
  e_machine: 18,
  e_entry: 24,
  e_phoff: 28,
  e_phentsize: 42,
  e_phnum: 44,
  sizeof: 52,
} as const;

/** `Elf32_Phdr` */
export const Elf32_Phdr = {
  p_type: 0,
  p_offset: 4,
  p_vaddr: 8,
  p_paddr: 12,
  p_filesz: 16,
  p_memsz: 20,
  sizeof: 32,
} as const;

export const PT_LOAD = 1;

/** The original takes no kernel with more program headers than fit in 64 KiB. */
export const MAX_PROGRAM_HEADERS = 2048;

/** e_type, with the words that an error message needs. */
export const ET_EXEC = 2;
export const ELF_TYPE_NAMES: Readonly<Record<number, string>> = {
  1: 'an object file',
  3: 'a shared object or position-independent program',
  4: 'a core dump',
};

export const EM_386 = 3;
/** The machines that a kernel file on somebody's disk is likely to be for. */
export const ELF_MACHINE_NAMES: Readonly<Record<number, string>> = {
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC64',
  22: 'S/390',
  40: 'ARM',
  62: 'x86-64',
  183: 'AArch64',
  243: 'RISC-V',
  258: 'LoongArch',
};
