// One run of v86 as a process of its own: a PC with the kernel, the initrd and a virtio console, whose lines go to stdout.
//
// usage: v86-machine.js package-folder bios-folder bzImage initrd megabytes command-line
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Emulator {
  add_listener(event: string, listener: (data: Uint8Array) => void): void;
}
type EmulatorClass = new (options: Readonly<Record<string, unknown>>) => Emulator;

const MEGABYTE = 1 << 20;
const [packageFolder = '', biosFolder = '', bzImage = '', initrd = '', megabytes = '', cmdline = ''] =
  process.argv.slice(2);

const file = (path: string): { buffer: ArrayBuffer } => ({ buffer: Uint8Array.from(readFileSync(path)).buffer });

const build = resolve(packageFolder, 'build');
const { V86 } = (await import(pathToFileURL(join(build, 'libv86.mjs')).href)) as { V86: EmulatorClass };
const emulator = new V86({
  wasm_path: join(build, 'v86.wasm'),
  memory_size: Number(megabytes) * MEGABYTE,
  vga_memory_size: 2 * MEGABYTE,
  bios: file(join(biosFolder, 'bios.bin')),
  vga_bios: file(join(biosFolder, 'vgabios.bin')),
  bzimage: file(bzImage),
  initrd: file(initrd),
  cmdline,
  virtio_console: true,
  disable_keyboard: true,
  disable_mouse: true,
  autostart: true,
});
emulator.add_listener('virtio-console0-output-bytes', (bytes) => process.stdout.write(bytes));
