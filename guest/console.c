/*
 * console.c: how we speak, and how we are spoken to.
 *
 * Twice: from the first moment by the "emergency write" of the virtio console, one character per access, reached through
 * its window in PCI configuration space (no page table, no queue, no memory needed); later by its two queues.  When we
 * crash we go back to the first.
 */
#include "devices.h"
#include "io.h"
#include "virtio.h"

#define CONSOLE_SLOT 1
#define OUT_BUFFERS 16
#define OUT_BYTES (PAGE_SIZE / OUT_BUFFERS)
#define ALL_FREE ((1u << OUT_BUFFERS) - 1)
#define IN_BUFFERS 8
#define IN_BYTES 128
#define TYPED_BYTES 1024         /* a power of two */
#define CTRL_C 3

static struct virtio_device console;
static bool attached, panicking;

/* The emergency window: the capability's offset in configuration space, 0 if there is none. */
static u32 window;

static u8 *out_memory, *in_memory;
static u32 out_free;             /* bit n: buffer n may be filled */
static u8 out_of_head[VIRTIO_QUEUE_SIZE], in_of_head[VIRTIO_QUEUE_SIZE];

static char typed[TYPED_BYTES];
static u32 typed_in, typed_out;
static bool ctrl_c_typed;

/* From now on one write to the window's data register is one write to the device's emergency register. */
void early_console_init(void)
{
	u32 at, emergency = 0;

	if (pci_read(CONSOLE_SLOT, 0, 4) != (VIRTIO_DEVICE_CONSOLE << 16 | VIRTIO_VENDOR))
		return;
	window = 0;
	for (at = pci_capability(CONSOLE_SLOT, 0, VIRTIO_CAP_VENDOR); at;
	     at = pci_capability(CONSOLE_SLOT, at, VIRTIO_CAP_VENDOR)) {
		u32 type = pci_read(CONSOLE_SLOT, at + VIRTIO_CAP_CFG_TYPE, 1);

		if (type == VIRTIO_PCI_CAP_DEVICE_CFG)
			emergency = pci_read(CONSOLE_SLOT, at + VIRTIO_CAP_OFFSET, 4) + VIRTIO_CONSOLE_EMERG_WRITE;
		else if (type == VIRTIO_PCI_CAP_PCI_CFG)
			window = at;
	}
	if (!window || !emergency) {
		window = 0;
		return;
	}
	pci_write(CONSOLE_SLOT, window + VIRTIO_CAP_BAR, 1, 0);
	pci_write(CONSOLE_SLOT, window + VIRTIO_CAP_LENGTH, 4, 4);
	pci_write(CONSOLE_SLOT, window + VIRTIO_CAP_OFFSET, 4, emergency);
}

static void reclaim_output(void)
{
	int head;

	while ((head = virtqueue_get(&console.queues[1], NULL)) >= 0)
		out_free |= 1u << out_of_head[head];
}

static bool output_free(bool all)
{
	reclaim_output();
	return all ? out_free == ALL_FREE : out_free != 0;
}

/* Usually a buffer is free; if not (or not all, where all are wanted), we ask to be told, look once more, and sleep. */
static void wait_for_output(bool all)
{
	while (!output_free(all)) {
		virtqueue_interrupts(&console.queues[1], true);
		if (!output_free(all))
			irq_wait();
		virtqueue_interrupts(&console.queues[1], false);
	}
}

/* What has been said has been heard: the Launcher may go now. */
void console_drain(void)
{
	u32 flags = irq_save();

	if (attached)
		wait_for_output(true);
	irq_restore(flags);
}

void console_write(const char *text, u32 bytes)
{
	u32 flags = irq_save();

	if (!attached || panicking)
		for (; window && bytes; bytes--)
			pci_write(CONSOLE_SLOT, window + VIRTIO_CAP_CFG_DATA, 4, (u8)*text++);
	while (bytes && attached) {
		u32 index, part = bytes < OUT_BYTES ? bytes : OUT_BYTES;
		u8 *memory;
		int head;

		wait_for_output(false);
		index = (u32)__builtin_ctz(out_free);
		memory = out_memory + index * OUT_BYTES;
		memcpy(memory, text, part);
		out_free &= ~(1u << index);
		head = virtqueue_add(&console.queues[1], &(struct buffer){phys(memory), part, false}, 1);
		out_of_head[head] = (u8)index;
		virtqueue_kick(&console.queues[1]);
		text += part;
		bytes -= part;
	}
	irq_restore(flags);
}

/* The last words must not wait in a queue.  Let what is in there out first, if it comes out soon. */
void console_panic(void)
{
	u32 patience = 1000000;

	irq_save();
	while (attached && !panicking && !output_free(true) && patience--)
		;
	panicking = true;
}

static void offer_input(u32 index)
{
	int head = virtqueue_add(&console.queues[0], &(struct buffer){phys(in_memory + index * IN_BYTES), IN_BYTES, true}, 1);

	in_of_head[head] = (u8)index;
}

/* Moves what was typed from the device's buffers to ours, while there is room: what we do not take back cannot get lost. */
static void collect_input(void)
{
	bool offered = false;
	u32 bytes, at;
	int head;

	while (TYPED_BYTES - (typed_in - typed_out) >= IN_BYTES &&
	       (head = virtqueue_get(&console.queues[0], &bytes)) >= 0) {
		const u8 *memory = in_memory + in_of_head[head] * IN_BYTES;

		for (at = 0; at < bytes && at < IN_BYTES; at++) {
			if (memory[at] == CTRL_C)
				ctrl_c_typed = true;
			typed[typed_in++ % TYPED_BYTES] = (char)memory[at];
		}
		offer_input(in_of_head[head]);
		offered = true;
	}
	if (offered)
		virtqueue_kick(&console.queues[0]);
}

static void console_interrupt(u32 irq)
{
	u8 why = mmio_read8(console.isr);

	(void)irq;
	if (why & VIRTIO_ISR_CONFIG)
		tty_resized();
	collect_input();
	tty_receive();
}

/* The next character, or -1 if none has been typed. */
int console_take(void)
{
	char c;

	if (!attached)
		return -1;
	collect_input();
	if (typed_in == typed_out)
		return -1;
	c = typed[typed_out++ % TYPED_BYTES];
	if (c == CTRL_C)
		ctrl_c_typed = false;
	return (u8)c;
}

/* The next character, waiting for it if need be; -1 if nobody can ever type one. */
int console_read(void)
{
	u32 flags;
	int c;

	if (!attached)
		return -1;
	flags = irq_save();
	while ((c = console_take()) < 0)
		wait_for_interrupt();
	irq_restore(flags);
	return c;
}

bool console_waiting(void)
{
	return typed_in != typed_out;
}

/* Has ^C been typed, and not been read yet? */
bool console_interrupted(void)
{
	return ctrl_c_typed;
}

/* Forget ^C, and what was typed before it. */
void console_discard_interrupt(void)
{
	while (ctrl_c_typed)
		console_read();
}

/* False if nobody knows. */
bool console_size(u16 *columns, u16 *rows)
{
	if (!attached || !(console.features & VIRTIO_CONSOLE_F_SIZE))
		return false;
	*columns = mmio_read16(console.config + VIRTIO_CONSOLE_COLS);
	*rows = mmio_read16(console.config + VIRTIO_CONSOLE_ROWS);
	return *columns && *rows;
}

void console_describe(void)
{
	u16 columns, rows;

	print("console: slot %u, irq %u", console.pci->slot, console.pci->irq);
	if (console_size(&columns, &rows))
		print(", %u columns, %u rows", columns, rows);
	print("\n");
}

void console_attach(struct pci_device *pci)
{
	u32 index;

	if (attached || !virtio_attach(&console, pci, VIRTIO_CONSOLE_F_SIZE | VIRTIO_CONSOLE_F_EMERG_WRITE, 2))
		return;
	out_memory = virt(frame_alloc());
	in_memory = virt(frame_alloc());
	out_free = ALL_FREE;
	virtqueue_interrupts(&console.queues[1], false);
	irq_install(pci->irq, "virtio console", console_interrupt);
	virtio_ready(&console);
	for (index = 0; index < IN_BUFFERS; index++)
		offer_input(index);
	virtqueue_kick(&console.queues[0]);
	attached = true;
}
