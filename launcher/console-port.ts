// The cable between the console device and whoever sits at the other end: a terminal, a pipe, a test.
//
// The device side (launcher/devices/console) writes what the Guest prints and takes what was typed; the other side
// is a Duplex stream (launcher/console-stream). Neither knows the other.

export interface ConsoleSize {
  readonly cols: number;
  readonly rows: number;
}

/** What the console device sees. */
export interface ConsolePort {
  /**
   * Passes on what the Guest printed; the bytes are copied when they must be kept. False says that the reader is slow:
   * the device returns no further output buffer to the Guest before `onWritable` was called.
   */
  write(bytes: Uint8Array): boolean;
  /** Up to `max` bytes of what was typed; empty when there is nothing (yet, or ever). */
  read(max: number): Uint8Array;
  readonly size: ConsoleSize;
  /** Set by the device: called when `write` may go on. */
  onWritable: (() => void) | undefined;
  /** Set by the device: called when `read` has something to give. */
  onReadable: (() => void) | undefined;
  /** Set by the device: called when `size` has changed. */
  onResize: (() => void) | undefined;
}
