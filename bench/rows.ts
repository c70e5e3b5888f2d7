// What is measured: the rows of the table.

export interface Row {
  readonly name: string;
  readonly what: string;
  /** Runs on this machine's own CPU too, without a Guest. */
  readonly native: boolean;
  /** Rows of a kind have a goal in common, and a mean. */
  readonly kind?: 'integer' | 'x87' | 'sse2' | 'system';
}

/** From the start of the process to the first line that the Guest's init prints. */
export const BOOT = 'boot';
/** The same, and the Guest unpacks its initrd, and itself, as it does on all other machines in either case. */
export const BOOT_PACKED = 'boot-packed';
/** The end of a row's name that asks for the build that uses SSE2. */
export const SSE2 = '-sse2';

export const ROWS: readonly Row[] = [
  { name: 'sieve', what: 'sieve of 12 M', native: true, kind: 'integer' },
  { name: 'qsort', what: 'qsort of 1.6 M ints through a comparison function', native: true, kind: 'integer' },
  { name: 'crc32', what: 'crc32 of 32 MB', native: true, kind: 'integer' },
  { name: 'xorshift', what: '64-bit xorshift-multiply, 16 M rounds', native: true, kind: 'integer' },
  { name: 'tree', what: 'binary tree of 400 k inserts', native: true, kind: 'integer' },
  { name: 'memmove', what: 'memmove, 256 MB', native: true, kind: 'integer' },
  { name: 'mandelbrot', what: 'Mandelbrot, x87 doubles', native: true, kind: 'x87' },
  { name: 'matmul', what: 'matrix multiply 600³, x87 doubles', native: true, kind: 'x87' },
  { name: `mandelbrot${SSE2}`, what: 'Mandelbrot, SSE2 doubles', native: true, kind: 'sse2' },
  { name: `matmul${SSE2}`, what: 'matrix multiply 600³, SSE2 doubles', native: true, kind: 'sse2' },
  { name: 'sha256', what: 'dd of 16 MB through sha256sum (busybox)', native: false, kind: 'system' },
  { name: 'processes', what: '200 × fork, exec, wait of /bin/true', native: true, kind: 'system' },
  { name: BOOT, what: 'process start to user space', native: false, kind: 'system' },
  { name: BOOT_PACKED, what: 'the same with --no-unpack', native: false },
];

/** Rows that are no program: they end where programs may begin. */
export const isBoot = (row: string): boolean => row === BOOT || row === BOOT_PACKED;
