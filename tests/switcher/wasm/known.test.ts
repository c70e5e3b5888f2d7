// What is known of values when blanks are constants.
import t from 'tap';
import { Builder } from '../../../switcher/language/builder.js';
import { shuffleControl } from '../../../switcher/instructions/sse/shuffle-control.js';
import { Constants } from '../../../switcher/wasm/known.js';

const REVERSE = 0b00_01_10_11;

t.test('a value that follows from blanks is known where blanks are, and nowhere else', async (sub) => {
  const b = new Builder();
  const sum = b.add(b.mul(b.field('immediate'), 3), 1);
  const wide = b.shl(b.extendU(sum), 32n);
  const filled = new Constants({ constantField: () => 5 });
  sub.equal(filled.of(sum), 16);
  sub.equal(filled.of(wide), 16n << 32n);
  sub.equal(new Constants({}).of(sum), undefined);
  sub.equal(new Constants({ constantField: () => 6 }).of(sum), 19, 'the next instruction has other blanks');
});

t.test('the places of a shuffle are known with its immediate', async (sub) => {
  const b = new Builder();
  const places = shuffleControl(b, b.field('immediate'), 'doublewords');
  const known = new Constants({ constantField: () => REVERSE }).of(places);
  sub.same([...(known as Uint8Array)], [12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3]);
});

t.test(
  'a choice is known with its condition; registers and state are not, but for the register that is always 0',
  async (sub) => {
    const b = new Builder();
    const condition = b.eq(b.field('scale'), 0);
    const choice = b.select(condition, 7, b.state(4, 0));
    const register = b.add(b.register(4, 'index'), 1);
    sub.equal(new Constants({ constantField: () => 0 }).of(choice), 7);
    sub.equal(new Constants({ constantField: () => 1 }).of(choice), undefined);
    sub.equal(new Constants({ constantField: () => 0 }).of(register), undefined);
    sub.equal(new Constants({ constantField: () => 0, isZeroRegister: () => true }).of(register), 1);
  },
);

t.test('divisions and numbers with a point are left to WebAssembly', async (sub) => {
  const b = new Builder();
  const constants = new Constants({ constantField: () => 0 });
  sub.equal(constants.of(b.divU(b.field('immediate'), b.field('immediate'))), undefined);
  sub.equal(constants.of(b.apply('f64.convert_i32_s', [b.field('immediate')])), undefined);
});
