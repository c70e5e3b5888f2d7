// What an instruction says of the machine it is on, which no recorded case can know; and int1, over which hypervisors differ.
import t from 'tap';
import { CODE_ADDRESS, defaultState, type Outcome } from '../../support/machine-state.js';
import { applyDelta, deltaOf, fromHex } from '../../support/state-delta.js';
import { ENGINES, EmulatedCpu } from '../../support/test-cpu.js';

const VECTOR_DB = 1;
const VECTOR_BP = 3;
const VECTOR_GP = 13;
const EAX = 0;
const EDX = 2;

for (const engine of ENGINES) {
  t.test(`under '${engine}'`, async (ofEngine) => {
    const cpu = new EmulatedCpu(engine);
    const run = (code: string, delta: Record<string, string> = {}): Outcome => {
      const state = defaultState();
      applyDelta(state, delta);
      state.patches = [{ address: CODE_ADDRESS, bytes: fromHex(code) }, ...state.patches];
      cpu.reset(state);
      return cpu.run();
    };
    const changes = (code: string, delta: Record<string, string> = {}): Record<string, string> => {
      const before = defaultState();
      applyDelta(before, delta);
      const outcome = run(code, delta);
      const after = outcome.trap.vector === VECTOR_BP ? before.eip : outcome.eip;
      return deltaOf(before, { ...outcome, eip: after });
    };

    ofEngine.test('`rdtsc` gives the nanoseconds of the clock, in two halves', async (sub) => {
      cpu.nanoseconds = 2 ** 32 * 5 + 77.5;
      const { registers } = run('0f31');
      sub.same([registers[EAX], registers[EDX]], [77, 5]);
    });

    ofEngine.test('`rdpmc`, `sysenter` and `sysexit` are not for ring 3', async (sub) => {
      for (const code of ['0f33', '0f34', '0f35']) {
        const { trap, eip } = run(code);
        sub.same([trap.vector, trap.error, eip], [VECTOR_GP, 0, CODE_ADDRESS], code);
      }
    });

    ofEngine.test('`int1` is a trap whatever the DPL of its gate, behind the instruction', async (sub) => {
      const { trap, eip, eflags } = run('f1');
      sub.same([trap.vector, trap.error, eip, eflags], [VECTOR_DB, 0, CODE_ADDRESS + 1, 0x202]);
    });

    ofEngine.test('`sldt` and `str` show that there is no LDT, and a task', async (sub) => {
      sub.same(changes('0f00c1'), { ecx: '0' });
      sub.same(changes('660f00c1'), { ecx: '5c5c0000' });
      sub.same(changes('0f0007'), { '10000400': '00', '10000401': '00' });
      sub.same(changes('0f00c9'), { ecx: '80' });
      sub.same(changes('660f00c9'), { ecx: '5c5c0080' });
    });

    ofEngine.test(
      '`smsw` shows CR0: protected, with an FPU, paging; and whether the task was switched',
      async (sub) => {
        sub.same(changes('0f01e1'), { ecx: '80050033' });
        sub.same(changes('660f01e1'), { ecx: '5c5c0033' });
        sub.same(changes('0f0127'), { '10000400': '33', '10000401': '00' });
        cpu.taskSwitched = true;
        sub.same(changes('0f01e1'), { ecx: '8005003b' });
        cpu.taskSwitched = false;
      },
    );

    ofEngine.test(
      '`sgdt` and `sidt` store six bytes: the limits are those of 32 descriptors and 256 gates',
      async (sub) => {
        for (const [code, limit] of [
          ['0f0107', 'ff00'],
          ['0f010f', 'ff07'],
          ['660f0107', 'ff00'],
        ] as const) {
          const { patches } = run(code, { '10000400': '111111111111' });
          sub.ok(
            patches.every(({ address }) => address >= 0x10000400 && address < 0x10000406),
            code,
          );
          const byte = (address: number): number =>
            patches.find((patch) => patch.address === address)?.bytes[0] ?? 0x11;
          sub.equal(Buffer.from([byte(0x10000400), byte(0x10000401)]).toString('hex'), limit, code);
        }
      },
    );
  });
}
