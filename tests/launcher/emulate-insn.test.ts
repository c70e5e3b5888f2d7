// Instructions that touch ports and device memory: which are done, and how the others go back to the Guest.
import t from 'tap';
import { PT_REGS } from '../../guest-abi/lguest-launcher.js';
import { ConsoleDevice } from '../../launcher/devices/console.js';
import { FakeConsole } from '../support/fake-console.js';
import { FakeGuest, RAM } from '../support/fake-guest.js';

const GP = 13;
const PF = 14;
const DEVICE_MEMORY = RAM + 0x10_0000;
/** num_queues of the console: 2, in 16 bits. */
const NUM_QUEUES = DEVICE_MEMORY + 18;

function machine(): FakeGuest {
  const guest = new FakeGuest();
  guest.bus.add(new ConsoleDevice(new FakeConsole()));
  return guest;
}

t.test('`in` from a port with nothing behind it gives all ones and keeps the rest of eax', (t) => {
  const guest = machine();
  guest.set(PT_REGS.edx, 0xabcd_0070);
  for (const [insn, length, eax] of [
    [[0xec], 1, 0x1234_56ff],
    [[0x66, 0xed], 2, 0x1234_ffff],
    [[0xed], 1, 0xffff_ffff],
    [[0xe4, 0x21], 2, 0x1234_56ff],
    [[0x66, 0xe5, 0x21], 3, 0x1234_ffff],
    [[0xe5, 0x21], 2, 0xffff_ffff],
  ] as const) {
    guest.set(PT_REGS.eax, 0x1234_5678);
    t.equal(guest.execute(GP, insn), length);
    t.equal(guest.get(PT_REGS.eax), eax);
  }
  t.strictSame(guest.traps, []);
  t.end();
});

t.test('`in` from the keyboard controller gives 1', (t) => {
  t.equal(machine().in(0x64, 8), 1);
  t.end();
});

t.test('`in` from the interval timer gives 0: a kernel that measures its clock by it gives up at once', (t) => {
  t.equal(machine().in(0x42, 8), 0);
  t.end();
});

t.test('`out` to a port with nothing behind it is ignored, `cli` is skipped', (t) => {
  const guest = machine();
  for (const [insn, length] of [
    [[0xe6, 0x80], 2],
    [[0x66, 0xef], 2],
    [[0xee], 1],
    [[0xfa], 1],
  ] as const) {
    t.equal(guest.execute(GP, insn), length);
  }
  t.strictSame(guest.traps, []);
  t.end();
});

t.test('`sti`, `hlt`, `rdmsr`, `insb` and `rep outsb` go back to the Guest as general protection', (t) => {
  const guest = machine();
  for (const insn of [[0xfb], [0xf4], [0x0f, 0x32], [0x6c], [0xf3, 0x6e], [0xf0, 0xec], [0x66, 0x66, 0xed]]) {
    t.equal(guest.execute(GP, insn), 0);
  }
  t.strictSame(guest.traps, [GP, GP, GP, GP, GP, GP, GP]);
  t.end();
});

t.test('a process may not use ports, nor `cli`', (t) => {
  const guest = machine();
  guest.set(PT_REGS.cs, 0x73);
  for (const insn of [[0xec], [0xee], [0xfa]]) t.equal(guest.execute(GP, insn), 0);
  t.strictSame(guest.traps, [GP, GP, GP]);
  t.end();
});

t.test('a Guest without a gate for the trap cannot go on', (t) => {
  const guest = machine();
  guest.takesTraps = false;
  guest.execute(GP, [0xf4]);
  guest.execute(PF, [0x8b, 0x03], RAM);
  t.strictSame(guest.broken, [
    'Reinjecting trap 13 for fault at 0xc1000000: Invalid argument',
    'Reinjecting trap 14 for fault at 0xc1000000: Invalid argument',
  ]);
  t.end();
});

t.test('the length of a memory operand counts SIB and displacement', (t) => {
  const guest = machine();
  for (const [insn, length] of [
    [[0x66, 0x8b, 0x03], 3], // [ebx]
    [[0x66, 0x8b, 0x43, 0x10], 4], // [ebx+0x10]
    [[0x66, 0x8b, 0x83, 0, 0, 0, 0], 7], // [ebx+disp32]
    [[0x66, 0x8b, 0x05, 0, 0, 0, 0], 7], // [disp32]
    [[0x66, 0x8b, 0x04, 0x24], 4], // [esp]
    [[0x66, 0x8b, 0x44, 0x24, 0x08], 5], // [esp+8]
    [[0x66, 0x8b, 0x84, 0x8b, 0, 0, 0], 8], // [ebx+ecx*4+disp32], longer than what is handed out
    [[0x66, 0x8b, 0x04, 0x8d, 0, 0, 0], 8], // [ecx*4+disp32]
    [[0x66, 0x8b, 0x45, 0x00], 4], // [ebp+0]
    [[0x3e, 0x66, 0x8b, 0x03], 4], // ds:
    [[0x64, 0x66, 0x8b, 0x03], 4], // fs:
    [[0x67, 0x66, 0x8b, 0x07], 4], // [bx]
    [[0x67, 0x66, 0x8b, 0x06, 0, 0], 6], // [disp16]
    [[0x67, 0x66, 0x8b, 0x84, 0, 0], 6], // [si+disp16]
    [[0x67, 0x66, 0x8b, 0x44, 0], 5], // [si+disp8]
    [[0x66, 0xa1, 0, 0, 0, 0], 6], // moffs
  ] as const) {
    guest.set(PT_REGS.eax, 0x5555_5555);
    t.equal(guest.execute(PF, insn, NUM_QUEUES), length, insn.join(' '));
    t.equal(guest.get(PT_REGS.eax), 0x5555_0002);
  }
  t.end();
});

t.test('loads reach every register, the high byte registers, and extend', (t) => {
  const guest = machine();
  const STATUS = DEVICE_MEMORY + 20;
  guest.store(STATUS, 8, 1);
  guest.store(STATUS, 8, 3);
  guest.store(STATUS, 8, 0x83);
  for (const [insn, register, value] of [
    [[0x8a, 0x0b], PT_REGS.ecx, 0x5555_5583], // mov cl
    [[0x8a, 0x2b], PT_REGS.ecx, 0x5555_8355], // mov ch
    [[0x8a, 0x23], PT_REGS.eax, 0x5555_8355], // mov ah
    [[0x0f, 0xb6, 0x33], PT_REGS.esi, 0x83], // movzx esi
    [[0x66, 0x0f, 0xb6, 0x33], PT_REGS.esi, 0x5555_0083], // movzx si
    [[0x0f, 0xbe, 0x3b], PT_REGS.edi, 0xffff_ff83], // movsx edi
    [[0x66, 0x0f, 0xbe, 0x2b], PT_REGS.ebp, 0x5555_ff83], // movsx bp
    [[0xa0, 0, 0, 0, 0], PT_REGS.eax, 0x5555_5583], // mov al, moffs
  ] as const) {
    guest.set(register, 0x5555_5555);
    guest.execute(PF, insn, STATUS);
    t.equal(guest.get(register), value, insn.join(' '));
  }
  guest.set(PT_REGS.edx, 0);
  guest.execute(PF, [0x0f, 0xb7, 0x13], NUM_QUEUES);
  t.equal(guest.get(PT_REGS.edx), 2, 'movzx edx, word');
  t.end();
});

t.test('stores come from registers, from high byte registers, and from the instruction', (t) => {
  const guest = machine();
  const STATUS = DEVICE_MEMORY + 20;
  const SELECT = DEVICE_MEMORY + 22;
  const DRIVER_SELECT = DEVICE_MEMORY + 8;
  guest.set(PT_REGS.ebx, 0x0000_0100);
  t.equal(guest.execute(PF, [0x88, 0x38], STATUS), 2, 'mov [eax], bh');
  t.equal(guest.load(STATUS, 8), 1);
  t.equal(guest.execute(PF, [0xc6, 0x40, 0x14, 0x03], STATUS), 4, 'mov byte [eax+20], 3');
  t.equal(guest.load(STATUS, 8), 3);
  t.equal(guest.execute(PF, [0x66, 0xc7, 0x00, 0x01, 0x00], SELECT), 5);
  t.equal(guest.load(SELECT, 16), 1);
  t.equal(guest.execute(PF, [0xc7, 0x00, 0x01, 0, 0, 0], DRIVER_SELECT), 6);
  t.equal(guest.load(DRIVER_SELECT, 32), 1);
  guest.set(PT_REGS.eax, 0);
  t.equal(guest.execute(PF, [0xa3, 0, 0, 0, 0], DRIVER_SELECT), 5);
  t.equal(guest.load(DRIVER_SELECT, 32), 0);
  t.strictSame(guest.broken, []);
  t.end();
});

t.test('what is not a plain move, or is none of the devices, goes back as a page fault', (t) => {
  const guest = machine();
  const some = [
    [0x01, 0x03], // add [ebx], eax
    [0x87, 0x03], // xchg
    [0xa4], // movsb
    [0xff, 0x33], // push [ebx]
    [0x8b, 0xc3], // mov eax, ebx: did not touch memory
    [0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66],
    [0xc7, 0x84, 0x24, 0, 0, 0, 0], // mov dword [esp+disp32], imm32: the immediate is out of sight
  ];
  for (const insn of some) {
    guest.traps.length = 0;
    t.equal(guest.execute(PF, insn, DEVICE_MEMORY), 0);
    t.strictSame(guest.traps, [PF], insn.join(' '));
  }
  t.match(guest.warnings[0], 'Unknown MMIO instruction touching 0x200000: 01 03 00 00 at 3238002688');
  guest.execute(PF, [0x8b, 0x03], DEVICE_MEMORY + 72);
  t.match(guest.warnings.at(-1), 'MMIO touching 0x200048 (not a device)');
  t.end();
});

t.test('complaints about instructions come to an end (R2)', (t) => {
  const guest = machine();
  for (let i = 0; i < 1000; i++) guest.execute(PF, [0x8b, 0x03], RAM);
  t.equal(guest.warnings.length, 33);
  t.equal(guest.traps.length, 1000);
  t.end();
});
