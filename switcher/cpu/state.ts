// Where the CPU keeps itself: the layout of its state at the bottom of the WebAssembly.Memory, below the page maps and
// the Guest's RAM. Addresses are bytes from the start of that memory; a word is 32 bits.
//
//   0x0000_0000  state (this file)
//   0x0001_0000  jump caches: where the code of a recently visited eip is, one for each privilege
//   0x0003_0000  templates, by which code is decoded (see interpreter/templates)
//   0x0010_0000  the four flat maps of 2^20 words each (see shadow-map)
//   0x0110_0000  decoded records (see interpreter/records)
//   0x0310_0000  how many instructions a block has, the block table, and what is known of each page's code
//   0x0380_0000  the Guest's RAM; behind it tables by page that only TypeScript uses (see memory)

/** eax … edi as words; a ninth slot is always zero and serves as the absent base or index register. */
export const REGISTERS = 0x100;
export const ZERO_REGISTER = REGISTERS + 32;

/** How often the code of a page was forgotten since all of it was: 1 … LARGEST_CODE_VERSION. */
export const CODE_VERSION = 0x128;
/** A version fits in the bits that all map entries have in common (see RECORD_LINK). */
export const LARGEST_CODE_VERSION = 0xfff;
/** Offset of the next instruction to run, exact at every exit. */
export const EIP = 0x130;
/** Where the instruction after the current one begins; for routines that are delegated to. */
export const NEXT_EIP = 0x134;
/** The arithmetic flags, in two words (see language/flags). */
export const FLAGS_RESULT = 0x138;
export const FLAGS_AUX = 0x13c;
/** All other bits of EFLAGS, bit 1 included. */
export const EFLAGS_REST = 0x140;
/** Jumps left before the CPU comes back through the door. */
export const BUDGET = 0x144;
/** The current privilege level, 0 … 3, a copy of SS.DPL. */
export const CPL = 0x148;
/** CR0.TS as far as the FPU is concerned: nonzero makes x87, MMX and SSE raise #NM. */
export const TASK_SWITCHED = 0x14c;

/** Nonzero after a memory access that the maps do not allow, with its address and direction (2 = write, 0 = read). */
export const FAULT = 0x150;
export const FAULT_ADDRESS = 0x154;
export const FAULT_WRITE = 0x158;
/** What an instruction raised: vector, and an error code or NO_ERROR_CODE. */
export const VECTOR = 0x15c;
export const ERROR_CODE = 0x160;
export const NO_ERROR_CODE = -1;

/** How much of the budget was charged for what is no jump (see instructions/budget). */
export const CHARGED = 0x164;

/** Addresses of the maps and of the jump cache that go with the current privilege. */
export const READ_MAP = 0x168;
export const WRITE_MAP = 0x16c;
export const JUMP_CACHE = 0x170;
/** Nonzero when something is in one of the jump caches. */
export const JUMP_CACHES_USED = 0x1e4;
/**
 * Where somebody counts (see cpu/retired): instructions begun and not undone, as 64 bits; how many of them in translated
 * code; and at which number the interpreter comes back.
 */
export const RETIRED = 0x1e8;
export const RETIRED_LIMIT = 0x1f0;
export const RETIRED_TRANSLATED = 0x1f8;
/** The linear addresses that sgdt and sidt show: the tables themselves are in `struct lguest_pages`. */
export const GDT_BASE = 0x174;
export const IDT_BASE = 0x178;
/** Elements that a repeated string instruction does in a row: many, or one when the Guest single-steps. */
export const STRING_TURN = 0x17c;
/** For routines that need a place to keep something. */
export const SCRATCH = 0x180;

/** What kind of code is run: it has blocks of its own. Less than CODE_KINDS. */
export const CODE_KIND = 0x260;
export const CODE_KINDS = 8;
/** Bits of it: segments are not flat; code of 16 bits; ring 3. */
export const SEGMENTED_CODE = 1;
export const SIXTEEN_BIT_CODE = 2;
export const USER_CODE = 4;
/** Nonzero when WebAssembly may decode by itself: flat code of 32 bits, and templates. */
export const DECODES = 0x264;
/** Where the next record goes. */
export const RECORDS_TOP = 0x268;
/** What is added to a form's handler to get one that counts first. */
export const COUNTING = 0x270;
/** What WebAssembly did by itself since somebody looked: blocks and instructions decoded, and blocks that are the end of others. */
export const BLOCKS_DECODED = 0x274;
export const INSTRUCTIONS_DECODED = 0x278;
export const ENDS_FOUND = 0x27c;

/** Segment registers es cs ss ds fs gs: selector, base, limit, attributes. */
export const SEGMENTS = 0x200;
export const SEGMENT_SIZE = 16;
export const SEGMENT_SELECTOR = 0;
export const SEGMENT_BASE = 4;
/** The highest offset inside (or, expand-down, the highest outside) the segment. */
export const SEGMENT_LIMIT = 8;
/** SEGMENT_READABLE and its neighbours, made from the descriptor when it was loaded. */
export const SEGMENT_ATTRIBUTES = 12;
export const SEGMENT_READABLE = 1;
export const SEGMENT_WRITABLE = 2;
export const SEGMENT_EXPAND_DOWN = 4;
/** D/B. */
export const SEGMENT_BIG = 8;
export const ES = 0;
export const CS = 1;
export const SS = 2;
export const DS = 3;
export const FS = 4;
export const GS = 5;

/**
 * The x87: control, status, TOP, and a byte of "this physical register is empty" bits. The status word is in pieces, because
 * nearly every instruction changes it and hardly one asks: TOP, C1, and PE twice (see FPU_INEXACT) have their own words.
 */
export const FPU_CONTROL = 0x300;
export const FPU_STATUS = 0x304;
export const FPU_TOP = 0x308;
export const FPU_EMPTY = 0x30c;
export const FPU_OPCODE = 0x310;
export const FPU_IP = 0x314;
export const FPU_CS = 0x318;
export const FPU_DP = 0x31c;
export const FPU_DS = 0x320;
export const MXCSR = 0x324;
/** C1 of the status word, 0 or 1. */
export const FPU_C1 = 0x328;
/**
 * What translated code keeps in a local, and is 0 in memory: not 0 while all doubles are plain of which that is taken for
 * granted, and MXCSR is as usual (see sse/in-place). Then it has TRUSTED_EXPONENTS.
 */
export const SSE_TRUST = 0x32c;
/** Of exponents as they are in bits 0 … 10, once 2 is added, that are neither the largest nor the smallest two. */
export const TRUSTED_EXPONENTS = 0x7fc;
/** 64 bits: if they are not 0, PE is set, whatever FPU_STATUS says of it. What results lose is collected here. */
export const FPU_INEXACT = 0x330;
/** How often translated code was left because numbers were not plain (see float/plain), since somebody looked. */
export const X87_STRANGE = 0x338;
/** Physical registers R0 … R7: 64-bit significand, then sign and exponent in 16 bits (kept as a word), 16 bytes each. */
export const FPU_REGISTERS = 0x340;
export const FPU_REGISTER_SIZE = 16;
export const FPU_SIGN_EXPONENT = 8;
/** xmm0 … xmm7, 16 bytes each. */
export const XMM = 0x400;
export const XMM_END = XMM + 8 * 16;
/** What transcendental instructions and the routines that they ask hand to each other: two operands and a result. */
export const X87_OPERAND_X = 0x480;
export const X87_OPERAND_Y = 0x4a0;
export const X87_RESULT = 0x4c0;
/** Of each: significand, in results 64 bits more behind it, exponent with the bias of the 80-bit format, sign. */
export const X87_SIGNIFICAND = 0;
export const X87_LOW = 8;
export const X87_EXPONENT = 16;
export const X87_SIGN = 20;
/** SSE_TRUST for both halves of a vector, where their exponents are; and what is to be added to these before. */
export const SSE_TRUST_LANES = 0x4e0;
export const SSE_TRUST_STEP = 0x4f0;

export const JUMP_CACHES = 0x10000;
/**
 * Entries of one jump cache; an entry is four words, of which the last is not used: eip, the address of the record, and what the
 * flat map said of eip's page then. It is good for as long as the map says the same, and so outlives changes of address space.
 */
export const JUMP_CACHE_ENTRIES = 4096;
export const JUMP_CACHE_ENTRY_SHIFT = 4;
export const CACHED_EIP = 0;
export const CACHED_RECORD = 4;
export const CACHED_MAP_ENTRY = 8;
/** Which entry is that of an eip: its low bits, mixed with those from here on, since functions begin at the same low bits. */
export const JUMP_CACHE_SHIFT = 12;
export const JUMP_CACHE_SIZE = JUMP_CACHE_ENTRIES << JUMP_CACHE_ENTRY_SHIFT;

/**
 * Templates: what decoding must know of opcodes (see interpreter/templates). First, by byte: what kind of prefix it is, 0 for none.
 */
export const PREFIX_KINDS = 0x30000;
/** By kind of register, 16 bytes each: what a record holds for its number. */
export const TEMPLATE_PLACES = PREFIX_KINDS + 0x100;
/**
 * By opcode (two-byte ones from 0x100 on), prefix and what ModRM says of it, 16 bits: the number of a template, 0 for none.
 */
export const TEMPLATE_INDEX = TEMPLATE_PLACES + 0x40;
/** Room for 512 opcodes, 4 prefixes and 72 things that ModRM may say of them (decode/lookup). */
export const TEMPLATES = TEMPLATE_INDEX + 512 * 4 * 72 * 2;
export const TEMPLATE_SIZE_SHIFT = 5;

export const MAPS = 0x100000;
export const MAP_SIZE = 0x400000;
/** Kernel means rings 0 to 2. */
export const KERNEL_READ_MAP = MAPS;
export const KERNEL_WRITE_MAP = MAPS + MAP_SIZE;
export const USER_READ_MAP = MAPS + 2 * MAP_SIZE;
export const USER_WRITE_MAP = MAPS + 3 * MAP_SIZE;
/**
 * A map entry is (address of the page in this memory) − (its linear address) − MAP_BIAS, so that a valid entry is never
 * zero and an access is one load, one add and one more load with MAP_BIAS as its static offset.
 */
export const MAP_BIAS = 1;

export const RECORDS = MAPS + 4 * MAP_SIZE;
export const RECORDS_SIZE = 0x2000000;
export const RECORDS_END = RECORDS + RECORDS_SIZE;

/** By the number of a record (of 32 bytes), a byte: how many instructions the block has that begins there, if one does. */
export const BLOCK_COUNTS = RECORDS_END;
const BLOCK_COUNTS_SIZE = RECORDS_SIZE / 32;

/**
 * The block table: where the records of the code at a place in the Guest's RAM are (see block-table). An entry is two words: the
 * address in this memory of the block's first byte; and its record plus the kind of code, 0 for none.
 */
export const BLOCK_TABLE = BLOCK_COUNTS + BLOCK_COUNTS_SIZE;
export const BLOCK_TABLE_ENTRIES_SHIFT = 18;
export const BLOCK_TABLE_ENTRY_SIZE = 8;
export const BLOCK_RECORD = 4;
export const BLOCK_TABLE_SIZE = BLOCK_TABLE_ENTRY_SIZE << BLOCK_TABLE_ENTRIES_SHIFT;

/**
 * By page of this memory, a word: how many bytes were left for records when code was first decoded from the page, 0 when there is
 * none. What was decoded before then is forgotten.
 */
export const CODE_LEFT = BLOCK_TABLE + BLOCK_TABLE_SIZE;

/** A word by page, as a map has. */
export const GUEST_RAM = CODE_LEFT + MAP_SIZE;

/** What a WebAssembly.Memory is counted in, and how much of it a module of ours needs at least. */
export const WASM_PAGE = 0x10000;
export const LEAST_WASM_PAGES = GUEST_RAM / WASM_PAGE;
