// What a disk is made of, to the device: sectors that can be read, written and made durable.

/** What went wrong, or nothing. */
export type DiskError = string | undefined;

/** Positions are in bytes. The caller keeps within `sectors`; buffers are Guest memory. */
export interface DiskImage {
  readonly sectors: number;
  readonly readOnly: boolean;
  read(position: number, into: readonly Uint8Array[]): DiskError;
  write(position: number, from: readonly Uint8Array[]): DiskError;
  /** When it answers, everything written before is on the medium. */
  flush(): DiskError;
  close(): void;
}
