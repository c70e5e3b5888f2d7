// Imports run one way. Who knows this order knows where to look for anything, and a room can be read with those behind it
// closed.
import { posix } from 'node:path';
import t from 'tap';
import { ROOMS, type Room, read, sources } from '../support/sources.js';

const IMPORT = /^(?:import|export)\b[^'"]*?from '([^']+)'|\bimport\('([^']+)'\)|^import '([^']+)'/gm;

interface Import {
  readonly from: string;
  readonly to: string;
}

/** What a source file imports: paths from the root for files of ours, names for packages. */
function importsOf(path: string): Import[] {
  return [...read(path).matchAll(IMPORT)].map((match) => {
    const name = match[1] ?? match[2] ?? match[3] ?? '';
    return { from: path, to: name.startsWith('.') ? posix.join(posix.dirname(path), name) : name };
  });
}

const roomOf = (path: string): Room | undefined => ROOMS.find((room) => path.startsWith(`${room}/`));
const ours = (room: Room): Import[] =>
  sources([room])
    .filter((path) => path.endsWith('.ts'))
    .flatMap(importsOf);
/** A part of a package, not a folder of ours. */
const isPackage = (name: string): boolean => name.startsWith('yargs/');
const asText = ({ from, to }: Import): string => `${from} imports ${to}`;

for (const [place, room] of ROOMS.entries()) {
  const before = ROOMS.slice(0, place);
  t.test(`${room} imports from ${before.length === 0 ? 'no other room' : before.join(', ')}`, async (t) => {
    const imports = ours(room).filter(({ to }) => !to.includes(':') && !isPackage(to) && /^[a-z-]+\//.test(to));
    const wrong = imports.filter(({ to }) => {
      const other = roomOf(to);
      return other === undefined || (other !== room && !before.includes(other));
    });
    t.same(wrong.map(asText), []);
  });
}

t.test('the Launcher sees of the Host only its device, as a process sees only /dev/lguest', async (t) => {
  const behind = ours('launcher').filter(
    ({ to }) => roomOf(to) === 'switcher' || (roomOf(to) === 'host' && to !== 'host/device.js'),
  );
  t.same(behind.map(asText), []);
  t.ok(
    ours('launcher').some(({ to }) => to === 'host/device.js'),
    'and it does see that',
  );
});

t.test('the command uses the Launcher, and nothing behind it', async (t) => {
  const behind = ours('bin').filter(({ to }) => ['guest-abi', 'switcher', 'host'].includes(roomOf(to) ?? 'bin'));
  t.same(behind.map(asText), []);
});

t.test('guest-abi/ agrees on things and does nothing: it imports only itself', async (t) => {
  t.same(
    ours('guest-abi')
      .filter(({ to }) => roomOf(to) !== 'guest-abi')
      .map(asText),
    [],
  );
});

t.test('two packages are used: the parser of yargs to read the command line, pino to write the log', async (t) => {
  const packages = ROOMS.flatMap(ours).filter(
    ({ to }) => roomOf(to) === undefined && !to.startsWith('node:') && !to.startsWith('dist/'),
  );
  t.same(packages.map(asText).sort(), ['launcher/options.ts imports yargs/helpers', 'lib/log.ts imports pino']);
});
