// `npm run bench`: the same programs on this machine, on ours, on QEMU and on v86, in turn, several times over.
//
// The peers alternate, so that whatever else the machine does meets all of them; medians are what is printed.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { addToInitrd, buildPrograms } from './initrd.js';
import { type Measured, runAndMeasure } from './measure.js';
import { profileCounts, profileTimes } from './profile.js';
import { buildCode, growth } from './growth.js';
import { PEERS, type Peer, type Setting, commands, describePeer } from './peers.js';
import { ROWS } from './rows.js';
import { digits, formatTable, geometricMean, median } from './table.js';
import { parseOptions } from '../tests/support/options.js';

const options = parseOptions({
  kernel: { type: 'string' },
  bzimage: { type: 'string' },
  initrd: { type: 'string' },
  memory: { type: 'string', default: '128' },
  rows: { type: 'string' },
  peers: { type: 'string' },
  repeat: { type: 'string', default: '5' },
  lguest: { type: 'string' },
  engine: { type: 'string' },
  'node-flags': { type: 'string', default: '' },
  v86: { type: 'string' },
  bios: { type: 'string', default: '/usr/share/seabios' },
  timeout: { type: 'string', default: '600' },
  profile: { type: 'boolean', default: false },
  growth: { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function chosen<T extends string>(list: string | undefined, all: readonly T[], what: string): T[] {
  const names = list?.split(',') ?? all;
  const unknown = names.find((name) => !all.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`there is no ${what} ${unknown}: ${all.join(', ')}`);
  return all.filter((name) => names.includes(name));
}

/** By peer and row, one after the other. */
type Samples = Map<Peer, Map<string, Measured[]>>;

async function measureOnce(peer: Peer, setting: Setting, rows: readonly string[], samples: Samples): Promise<number> {
  let peak = 0;
  for (const command of commands(peer, setting, rows)) {
    const run = await runAndMeasure(command);
    if (options.verbose) say(`${command.file} ${command.args.join(' ')}\n${run.log.join('\n')}`);
    if (run.rows.size === 0) process.stderr.write(`${peer}: nothing measured\n${run.log.join('\n')}\n`);
    const ofPeer = samples.get(peer) ?? new Map<string, Measured[]>();
    samples.set(peer, ofPeer);
    for (const [name, measured] of run.rows) ofPeer.set(name, [...(ofPeer.get(name) ?? []), measured]);
    peak = Math.max(peak, run.peakMemory);
  }
  return peak;
}

function report(samples: Samples, peers: readonly Peer[], rows: readonly string[], clock: 'cpu' | 'wall'): void {
  const of = (peer: Peer, row: string): number => median((samples.get(peer)?.get(row) ?? []).map((m) => m[clock]));
  const others = peers.filter((peer) => peer !== 'lguest');
  const ratio = (row: string, other: Peer): number => of('lguest', row) / of(other, row);
  const lines = ROWS.filter((row) => rows.includes(row.name)).map((row) => [
    row.what,
    ...peers.map((peer) => digits(of(peer, row.name))),
    ...others.map((other) => digits(ratio(row.name, other))),
  ]);
  const kinds = [...new Set(ROWS.flatMap((row) => (rows.includes(row.name) ? (row.kind ?? []) : [])))];
  const means = kinds.map((kind) => {
    const names = ROWS.filter((row) => row.kind === kind && rows.includes(row.name)).map((row) => row.name);
    return [
      `geometric mean: ${kind}`,
      ...peers.map(() => ''),
      ...others.map((other) => digits(geometricMean(names.map((name) => ratio(name, other))))),
    ];
  });
  say(`\n${clock === 'cpu' ? 'Processor time' : 'Wall time'}, seconds, medians\n`);
  say(formatTable(['work', ...peers, ...others.map((other) => `lguest/${other}`)], [...lines, ...means]));
}

/** A fast wrong answer is none. */
function checkResults(samples: Samples, rows: readonly string[]): void {
  for (const row of rows) {
    const results = new Map<string, Peer>();
    for (const [peer, ofPeer] of samples) for (const { result } of ofPeer.get(row) ?? []) results.set(result, peer);
    if (results.size <= 1) continue;
    const said = [...results].map(([result, peer]) => `${result} (${peer})`).join(', ');
    process.exitCode = 1;
    say(`\n${row}: results differ: ${said}`);
  }
}

async function main(): Promise<void> {
  const rows = chosen(
    options.rows,
    ROWS.map((row) => row.name),
    'row',
  );
  const { kernel = options.bzimage, bzimage = kernel, initrd } = options;
  const folder = mkdtempSync(join(tmpdir(), 'lguest-bench-'));
  try {
    buildPrograms(folder);
    const packed = join(folder, 'initrd');
    const linux = kernel !== undefined && initrd !== undefined;
    writeFileSync(packed, addToInitrd(initrd, folder));
    const setting: Setting = {
      kernel: linux ? kernel : undefined,
      bzImage: bzimage ?? '',
      initrd: packed,
      programs: folder,
      memoryMB: Number(options.memory),
      v86: options.v86,
      bios: options.bios,
      command: options.lguest,
      engine: options.engine,
      nodeFlags: options['node-flags'].split(' ').filter(Boolean),
      timeoutMs: Number(options.timeout) * 1000,
    };
    const all = options.profile || options.growth ? 'lguest' : options.peers;
    const wanted = chosen(all, linux ? PEERS : ['native', 'lguest'], 'peer');
    const peers = wanted.filter((peer) => describePeer(peer, setting) !== undefined);
    if (!linux) say('Without --kernel and --initrd: the programs on the reference Guest, and on this machine.');
    for (const peer of peers) say(`${peer}: ${describePeer(peer, setting) ?? ''}`);
    say(
      `${cpus().length} × ${cpus()[0]?.model ?? ''}, ${options.memory} MB, ${kernel ?? 'reference Guest'}, load ${load()}`,
    );
    if (options.growth) {
      // It is too big for the smallest Guest.
      const more = join(folder, 'more');
      cpSync(join(folder, 'bench'), join(more, 'bench'), { recursive: true });
      buildCode(more);
      const withCode = join(folder, 'initrd-with-code');
      writeFileSync(withCode, addToInitrd(initrd, more));
      say(`\n${await growth(setting, withCode)}\n\nload ${load()}`);
      return;
    }
    if (options.profile) {
      say(`\nProcessor time of the main thread, by tier\n\n${await profileTimes(setting, rows)}`);
      say(`\nWhat was done how often\n\n${await profileCounts(setting, rows)}\n\nload ${load()}`);
      return;
    }
    const samples: Samples = new Map();
    for (let round = 1; round <= Number(options.repeat); round++) {
      const peaks: string[] = [];
      for (const peer of peers) {
        const peak = await measureOnce(peer, setting, rows, samples);
        if (peak > 0) peaks.push(`${peer} ${digits(peak / 2 ** 20)}`);
      }
      say(`round ${round} of ${options.repeat}: load ${load()}; peak memory in MB: ${peaks.join(', ')}`);
    }
    checkResults(samples, rows);
    report(samples, peers, rows, 'cpu');
    report(samples, peers, rows, 'wall');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const load = (): string => loadavg().map(digits).join(' ');

await main();
