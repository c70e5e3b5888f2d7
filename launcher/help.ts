// What --help prints.
import { OPTION_GROUPS, type OptionRow } from './options-table.js';

const USAGE = `lguest - boot a 32-bit Linux Guest the lguest way, on an emulated x86 CPU

Usage:
  lguest [options] <memory> <vmlinux|bzImage> [kernel arguments...]
  lguest [options] --demo [memory]

Memory is in megabytes: 64, 64M, 1G. Options may stand anywhere, and everything that is no option is a
kernel argument; use -- before kernel arguments that start with a dash.
`;

const END = `
To get out: power the Guest off, or press ^C three times within a second.

Exit status:
  0 power-off    1 failure    2 wrong command line    32 restart, with --no-reboot    33 killed by the Host
  34 kernel panic    124 time-out    128+n ended by signal n    (LGUEST_COMPAT=c: always 1, as the C launcher)

Environment:
  LGUEST_KERNEL (when no kernel is named)  LGUEST_LOG (log level)  LGUEST_LOG_FORMAT  LGUEST_COMPAT=c
  LGUEST_CACHE (a folder, or off)  LGUEST_DEBUG=1 (where an error comes from)

Examples:
  lguest 64 vmlinux --initrd=./rootfs
  lguest --block=disk.img,snapshot 128 bzImage root=/dev/vda console=hvc0
  echo 'uname -a; poweroff -f' | lguest -q --strip-cr 64 vmlinux --initrd=sh.gz | tail -1
`;

const DESCRIPTION_COLUMN = 26;

export function helpText(): string {
  const groups = Object.entries(OPTION_GROUPS).map(([title, rows]) => {
    const lines = Object.entries(rows).map(([name, row]) => describe(name, row));
    return [`\n${title}:`, ...lines, ''].join('\n');
  });
  return USAGE + groups.join('') + END;
}

function describe(name: string, row: OptionRow): string {
  const short = row.alias === undefined ? '    ' : `-${row.alias}, `;
  const long = `  ${short}--${name}${row.value === undefined ? '' : `=${row.value}`}`;
  return `${long.padEnd(DESCRIPTION_COLUMN)}  ${row.describe}`;
}
