// The ways out of a console that belongs to the Guest.
import t from 'tap';
import { Keyboard, type Typed } from '../../bin/keyboard.js';

const type = (keyboard: Keyboard, text: string, now = 0): Typed => keyboard.feed(Buffer.from(text, 'latin1'), now);
const passed = (typed: Typed): string => Buffer.from(typed.bytes).toString('latin1');

t.test('three ^C within a second quit, and reach the Guest', (t) => {
  const keyboard = new Keyboard(undefined);
  t.strictSame(type(keyboard, '\x03', 0).actions, []);
  t.strictSame(type(keyboard, '\x03', 500).actions, []);
  const third = type(keyboard, '\x03', 1000);
  t.strictSame(third.actions, ['quit']);
  t.equal(passed(third), '\x03');
  t.strictSame(type(keyboard, '\x03\x03', 1001).actions, [], 'and then it begins again');
  t.strictSame(type(new Keyboard(undefined), '\x03\x03\x03').actions, ['quit'], 'also when they come at once');
  t.end();
});

t.test('three ^C that are slow, or not alone, are the Guest’s alone', (t) => {
  const slow = new Keyboard(undefined);
  for (const now of [0, 600, 1200, 1800, 2400]) t.strictSame(type(slow, '\x03', now).actions, []);
  t.strictSame(type(slow, '\x03', 3100).actions, [], 'the last three took longer than a second');
  t.strictSame(type(slow, '\x03', 3200).actions, ['quit'], 'the last three did not');
  const mixed = new Keyboard(undefined);
  t.strictSame(type(mixed, '\x03\x03x\x03\x03').actions, []);
  t.equal(passed(type(mixed, 'y\x01\x1a\x04\xff')), 'y\x01\x1a\x04\xff');
  t.end();
});

t.test('an escape key leads to commands, and twice it is itself', (t) => {
  const keyboard = new Keyboard(0x01);
  t.match(type(keyboard, 'a\x01'), { actions: [], bytes: Uint8Array.of(0x61) });
  t.match(type(keyboard, 'x'), { actions: ['quit'], bytes: new Uint8Array() }, 'also when it comes later');
  t.match(type(keyboard, '\x01I'), { actions: ['info'], bytes: new Uint8Array() });
  t.equal(passed(type(keyboard, '\x01\x01b\x01z')), '\x01bz', 'what is no command gets through');
  t.strictSame(type(keyboard, '\x03\x03\x03').actions, ['quit'], '^C leads out all the same');
  t.end();
});
