/*
 * selftest-devices.c: ports, the PCI bus, and virtio as a driver sees it.
 */
#include "devices.h"
#include "selftest.h"
#include "io.h"
#include "virtio.h"

#define EMPTY_PORT 0x2F8
#define EMPTY_SLOT 31
#define CONSOLE_SLOT 1

static void check_ports(void)
{
	u32 eax = 0x12345678;

	check(in8(EMPTY_PORT) == 0xFF && in16(EMPTY_PORT) == 0xFFFF && in32(EMPTY_PORT) == 0xFFFFFFFF,
	      "a port where nothing is reads as all ones");
	asm volatile("inb %%dx, %%al" : "+a"(eax) : "d"(EMPTY_PORT));
	check(eax == 0x123456FF, "a byte read from a port leaves the rest of eax alone");
	asm volatile("inw %%dx, %%ax" : "+a"(eax) : "d"(EMPTY_PORT));
	check(eax == 0x1234FFFF, "and so does a word");
	check(in8(0x64) == 1, "port 0x64 reads 1: a keyboard controller that is always busy");
	out8(EMPTY_PORT, 1);
	out16(EMPTY_PORT, 2);
	out32(EMPTY_PORT, 3);
	out8(0x80, 4);
	check(true, "writing to a port where nothing is does nothing");
	ATTEMPT("insb", "d"(EMPTY_PORT), "D"(&eax));
	check(faulted(TRAP_PROTECTION, 0), "string input is a protection fault");
	ATTEMPT("outsb", "d"(EMPTY_PORT), "S"(&eax));
	check(faulted(TRAP_PROTECTION, 0), "and so is string output");
}

static void check_config_address(void)
{
	u32 flags = irq_save();

	out32(0xCF8, 0x80000844);
	check(in32(0xCF8) == 0x80000844, "the PCI address register can be read back");
	out8(0xCF9, 0x12);
	check(in32(0xCF8) == 0x80001244 && in16(0xCF8) == 0x1244 && in8(0xCFB) == 0x80, "and be accessed by bytes and words");
	out32(0xCF8, 0x00000800);
	check(in32(0xCFC) == 0xFFFFFFFF, "without its enable bit, no device answers");
	out32(0xCF8, 0x80010800);
	check(in32(0xCFC) == 0xFFFFFFFF, "nor does one on another bus");
	out32(0xCF8, 0x80000900);
	check(in32(0xCFC) == 0xFFFFFFFF, "nor another function");
	irq_restore(flags);
}

static void check_config_space(void)
{
	u32 bar = pci_read(CONSOLE_SLOT, 0x10, 4), size;

	check(pci_read(0, 8, 4) == 0x06000000, "slot 0 is a host bridge");
	check(pci_read(CONSOLE_SLOT, 0, 4) == 0x10431AF4, "slot 1 is the console");
	check(pci_read(CONSOLE_SLOT, 0, 2) == 0x1AF4 && pci_read(CONSOLE_SLOT, 2, 2) == 0x1043 &&
		      pci_read(CONSOLE_SLOT, 3, 1) == 0x10,
	      "configuration space can be read by bytes and words");
	check(pci_read(CONSOLE_SLOT, 6, 2) & 0x10, "its status register announces capabilities");
	check(pci_read(CONSOLE_SLOT, 0x3C, 1) == CONSOLE_SLOT, "its interrupt line is its slot");
	check(pci_read(CONSOLE_SLOT, 0x2C, 4) == 0x00400000, "its subsystem is 0x40");
	check(pci_read(EMPTY_SLOT, 0, 4) == 0xFFFFFFFF, "an empty slot reads as all ones");
	check(pci_read(CONSOLE_SLOT, 0x98, 4) == 0xFFFFFFFF, "so does configuration space beyond 0x98");

	pci_write(CONSOLE_SLOT, 0x10, 4, 0xFFFFFFFF);
	size = ~(pci_read(CONSOLE_SLOT, 0x10, 4) & ~15u) + 1;
	pci_write(CONSOLE_SLOT, 0x10, 4, bar);
	check(size == 128 && pci_read(CONSOLE_SLOT, 0x10, 4) == bar, "BAR 0 of the console says that it is 128 bytes long");
	check(bar >= ram_bytes, "and lies above our memory");
	pci_write(CONSOLE_SLOT, 0x04, 2, 0x0407);
	check(pci_read(CONSOLE_SLOT, 0x04, 2) == 0, "writes to the command register are ignored");
}

/* Registers that no driver has a reason to write: the Launcher lets the instruction fault. */
static void check_refused_writes(void)
{
	u32 flags = irq_save(), refused = 0;

	out32(0xCF8, 0x80000000 | CONSOLE_SLOT << 11 | 0x3C);
	ATTEMPT_WITH(5, "outb %%al, %%dx", "d"(0xCFC));
	refused += faulted(TRAP_PROTECTION, 0);
	out32(0xCF8, 0x80000000 | CONSOLE_SLOT << 11 | 0x04);
	ATTEMPT_WITH(7, "outl %%eax, %%dx", "d"(0xCFC));
	refused += faulted(TRAP_PROTECTION, 0);
	out32(0xCF8, 0x80000000 | CONSOLE_SLOT << 11 | 0x00);
	ATTEMPT_WITH(7, "outw %%ax, %%dx", "d"(0xCFC));
	refused += faulted(TRAP_PROTECTION, 0);
	irq_restore(flags);
	check(refused == 3, "writing the interrupt line, the whole command word or the vendor faults");
}

static void check_capabilities(void)
{
	static const struct {
		u8 type, bar_offset, length;
	} expected[] = {
		{VIRTIO_PCI_CAP_COMMON_CFG, 0, 56}, {VIRTIO_PCI_CAP_NOTIFY_CFG, 56, 2}, {VIRTIO_PCI_CAP_ISR_CFG, 58, 1},
		{VIRTIO_PCI_CAP_PCI_CFG, 0, 0}, {VIRTIO_PCI_CAP_DEVICE_CFG, 60, 12},
	};
	u32 at = 0, index;
	bool same = true;

	for (index = 0; index < ARRAY_SIZE(expected); index++) {
		at = pci_capability(CONSOLE_SLOT, at, VIRTIO_CAP_VENDOR);
		same &= at && pci_read(CONSOLE_SLOT, at + VIRTIO_CAP_CFG_TYPE, 1) == expected[index].type;
		/* The window's own offset and length are ours to write: we have done so at the very beginning. */
		if (expected[index].type != VIRTIO_PCI_CAP_PCI_CFG)
			same &= pci_read(CONSOLE_SLOT, at + VIRTIO_CAP_OFFSET, 4) == expected[index].bar_offset &&
				pci_read(CONSOLE_SLOT, at + VIRTIO_CAP_LENGTH, 4) == expected[index].length;
	}
	check(same && !pci_capability(CONSOLE_SLOT, at, VIRTIO_CAP_VENDOR), "the console lists its five virtio capabilities in order");
}

/* The window in configuration space leads to the same registers as the memory. */
static void check_window(volatile u8 *registers)
{
	u32 window = 0x84;
	u32 queues;

	pci_write(CONSOLE_SLOT, window + VIRTIO_CAP_OFFSET, 4, VIRTIO_NUM_QUEUES);
	pci_write(CONSOLE_SLOT, window + VIRTIO_CAP_LENGTH, 4, 2);
	queues = pci_read(CONSOLE_SLOT, window + VIRTIO_CAP_CFG_DATA, 2);
	early_console_init();
	check(queues == 2 && mmio_read16(registers + VIRTIO_NUM_QUEUES) == 2,
	      "the console has two queues, through the window as in memory");
}

/* Forms of mov that a driver may use, on registers which do not mind being read. */
static void check_device_memory(volatile u8 *registers)
{
	u32 ecx = 0xAAAAAAAA, edx;

	asm volatile("movb %c2(%1), %%ch" : "+c"(ecx) : "r"(registers), "i"(VIRTIO_DEVICE_STATUS) : "memory");
	check(ecx == 0xAAAA0FAA, "a byte of device memory goes to ch and nowhere else");
	ecx = 0xAAAAAAAA;
	asm volatile("movw %c2(%1), %%cx" : "+c"(ecx) : "r"(registers), "i"(VIRTIO_NUM_QUEUES) : "memory");
	check(ecx == 0xAAAA0002, "a word of it leaves the upper half of a register alone");
	asm volatile("movl 0x1000(%1), %0" : "=r"(edx) : "r"(registers - 0x1000 + VIRTIO_DEVICE_FEATURE) : "memory");
	asm volatile("movw %w1, 0x1000(%0)" : : "r"(registers - 0x1000 + VIRTIO_QUEUE_SELECT), "r"(1) : "memory");
	check(edx == 1 && mmio_read16(registers + VIRTIO_QUEUE_SELECT) == 1, "a long displacement is understood, to read and to write");
	ATTEMPT("addl %%eax, (%1)", "r"(registers + VIRTIO_DEVICE_FEATURE_SELECT));
	check(caught.vector == TRAP_PAGE_FAULT && caught.frame.eip == attempt_at, "device memory takes mov and nothing else");
}

static void check_common_config(volatile u8 *registers)
{
	check(mmio_read8(registers + VIRTIO_DEVICE_STATUS) == 15, "the console's status is what we wrote, 15");
	check(mmio_read8(registers + VIRTIO_CONFIG_GENERATION) == 0, "its configuration has never changed");
	mmio_write16(registers + VIRTIO_QUEUE_SELECT, 7);
	check(mmio_read16(registers + VIRTIO_QUEUE_SIZE_REGISTER) == 0, "a queue that does not exist has size 0");
	mmio_write16(registers + VIRTIO_QUEUE_SELECT, 0);
	check(mmio_read16(registers + VIRTIO_QUEUE_SIZE_REGISTER) == VIRTIO_QUEUE_SIZE &&
		      mmio_read16(registers + VIRTIO_QUEUE_ENABLE) == 1,
	      "queue 0 is as we left it");
}

/* A completion, its interrupt held back, and the register that says whose it was. */
static void check_isr(void)
{
	u8 first, second, byte = 0;
	volatile u8 *isr;

	if (!rng_present()) {
		skip("the interrupt status of a device reads 1, once", " (skipped: no --rng)");
		return;
	}
	isr = map_device(rng_bar() + 58, 1);
	irq_save();
	rng_start(1);
	SPIN_UNTIL(rng_done());
	/* The used ring moves first, the status follows. */
	SPIN_FOR(NSEC_PER_MSEC);
	first = mmio_read8(isr);
	second = mmio_read8(isr);
	rng_finish(&byte);
	irq_enable();
	check(first == 1 && second == 0, "the interrupt status of a device reads 1, once");
}

static void check_random(void)
{
	u8 a[32], b[32];

	if (!rng_present()) {
		skip("random numbers differ", " (skipped: no --rng)");
		return;
	}
	check(rng_read(a, 32) == 32 && rng_read(b, 32) == 32 && memcmp(a, b, 32) != 0, "random numbers differ");
}

/* A device can be given up and taken again at any time. */
static void check_reset(void)
{
	u8 byte[8];

	if (!rng_present()) {
		skip("a device that was reset and attached again works", " (skipped: no --rng)");
		return;
	}
	check(rng_reattach() && rng_read(byte, 8) == 8 && rng_reattach() && rng_read(byte, 8) == 8,
	      "a device that was reset and attached again works");
}

/* Header in two pieces, data in two, and the status byte behind the data in the same buffer: all the same to a device. */
static void check_pieces(struct disk *disk, u64 sector, const u8 *expected)
{
	struct request {
		u32 type, reserved;
		u64 sector;
	} *header = virt(frame_alloc());
	u8 *data = virt(frame_alloc());
	struct buffer pieces[] = {
		{phys(header), 6, false}, {phys(header) + 6, 10, false}, {phys(data), 200, true}, {phys(data) + 200, 313, true},
	};
	u32 flags = irq_save();

	*header = (struct request){.type = DISK_READ, .sector = sector};
	data[SECTOR_SIZE] = 0xFF;
	virtqueue_add(disk_queue(disk), pieces, ARRAY_SIZE(pieces));
	virtqueue_kick(disk_queue(disk));
	while (virtqueue_get(disk_queue(disk), NULL) < 0)
		irq_wait();
	irq_restore(flags);
	check(data[SECTOR_SIZE] == 0 && memcmp(data, expected, SECTOR_SIZE) == 0, "a request may be cut into buffers anywhere");
	frame_free(phys(header));
	frame_free(phys(data));
}

/* Nothing is changed: what is written is what was there. */
static void check_disk(void)
{
	struct disk *disk = disk_find("vda");
	u8 *first, *second;
	u64 last;

	if (!disk || !disk_sectors(disk)) {
		skip("a sector can be read, written and flushed", " (skipped: no --block)");
		return;
	}
	first = virt(frame_alloc());
	second = virt(frame_alloc());
	last = disk_sectors(disk) - 1;
	memset(second, 0xEE, PAGE_SIZE);
	check(disk_do(disk, DISK_READ, last, first, SECTOR_SIZE) == 0 && disk_do(disk, DISK_READ, last, second, SECTOR_SIZE) == 0 &&
		      memcmp(first, second, SECTOR_SIZE) == 0,
	      "the last sector of the disk reads the same twice");
	check(second[SECTOR_SIZE] == 0xEE && second[PAGE_SIZE - 1] == 0xEE, "and no byte more is written");
	check_pieces(disk, last, first);
	if (disk_read_only(disk))
		skip("a sector can be written", " (skipped: read-only)");
	else
		check(disk_do(disk, DISK_WRITE, last, first, SECTOR_SIZE) == 0, "a sector can be written");
	if (disk_can_flush(disk))
		check(disk_do(disk, DISK_FLUSH, 0, NULL, 0) == 0, "the disk can be flushed");
	else
		skip("the disk can be flushed", " (skipped: not offered)");
	frame_free(phys(first));
	frame_free(phys(second));
}

void check_devices(void)
{
	volatile u8 *registers = map_device(pci_read(CONSOLE_SLOT, 0x10, 4), 128);

	check_ports();
	check_config_address();
	check_config_space();
	check_refused_writes();
	check_capabilities();
	check_window(registers);
	check_device_memory(registers);
	check_common_config(registers);
	check_isr();
	check_random();
	check_reset();
	check_disk();
}
