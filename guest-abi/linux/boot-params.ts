// The x86 Linux boot protocol as far as a Launcher needs it: `struct boot_params` (the zero page) and the setup header
// that a bzImage carries at the same offsets. Source: Documentation/x86/boot.txt and arch/x86/include/uapi/asm/bootparam.h.

/** Where the zero page is in guest-physical memory: %esi is 0 when the Guest starts. */
export const BOOT_PARAMS_ADDRESS = 0;
export const BOOT_PARAMS_SIZE = 4096;
/** The page behind it holds the kernel command line. */
export const COMMAND_LINE_ADDRESS = 0x1000;
/** COMMAND_LINE_SIZE of arch/x86: the Guest copies no more, the NUL included. */
export const COMMAND_LINE_SIZE = 2048;
/** Where a bzImage's protected-mode part goes, and the first address that is free for a kernel. */
export const BZIMAGE_LOAD_ADDRESS = 0x100000;
/** Below this are the zero page and the command line. */
export const FIRST_FREE_ADDRESS = 0x2000;

/** Offsets in the zero page. Those from 0x1f1 on are `hdr`, the setup header, and the same in the file. */
export const boot_params = {
  e820_entries: 0x1e8,
  hdr: {
    setup_sects: 0x1f1,
    /** Size of the protected-mode part in 16-byte units. */
    syssize: 0x1f4,
    boot_flag: 0x1fe,
    /** "HdrS" */
    header: 0x202,
    version: 0x206,
    kernel_version: 0x20e,
    type_of_loader: 0x210,
    loadflags: 0x211,
    code32_start: 0x214,
    ramdisk_image: 0x218,
    ramdisk_size: 0x21c,
    cmd_line_ptr: 0x228,
    initrd_addr_max: 0x22c,
    kernel_alignment: 0x230,
    hardware_subarch: 0x23c,
    payload_offset: 0x248,
    payload_length: 0x24c,
    init_size: 0x260,
  },
  e820_table: 0x2d0,
} as const;

/** The largest setup header that any protocol version defines ends before this file offset. */
export const SETUP_HEADER_END = 0x268;

export const BOOT_FLAG_MAGIC = 0xaa55;
/** "HdrS", little-endian. */
export const HDRS_MAGIC = 0x53726448;
/** A setup_sects of 0 means this, for the sake of very old images. */
export const DEFAULT_SETUP_SECTS = 4;
/** The initrd_addr_max of kernels that do not say. */
export const DEFAULT_INITRD_ADDR_MAX = 0x37ffffff;
export const SECTOR_SIZE = 512;

/** loadflags */
export const LOADED_HIGH = 0x01;
export const KEEP_SEGMENTS = 0x40;

/** hardware_subarch came with 2.07: what the Launcher claims to speak, and what startup_32 asks for. */
export const BOOT_PROTOCOL_VERSION = 0x0207;
/** payload_offset and payload_length came with 2.08. */
export const PROTOCOL_WITH_PAYLOAD = 0x0208;
/** init_size came with 2.10. */
export const PROTOCOL_WITH_INIT_SIZE = 0x020a;
/** type_of_loader: a loader without a number of its own. */
export const LOADER_TYPE_UNDEFINED = 0xff;
/** Where a relocatable kernel may put itself: multiples of this. */
export const KERNEL_ALIGNMENT = 0x01000000;
/** X86_SUBARCH_LGUEST: what makes startup_32 jump to lguest_entry. */
export const X86_SUBARCH_LGUEST = 1;

/** `struct e820entry`: u64 address, u64 size, u32 type, packed. */
export const e820entry = { addr: 0, size: 8, type: 16, sizeof: 20 } as const;
export const E820_RAM = 1;
