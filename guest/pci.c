/*
 * pci.c: the bus.
 *
 * Configuration mechanism 1: the address of a dword goes to port 0xCF8, its bytes are at 0xCFC.  Every access is a trap
 * that the Launcher serves.
 */
#include "devices.h"
#include "io.h"

#define CONFIG_ADDRESS 0xCF8
#define CONFIG_DATA 0xCFC
#define CONFIG_ENABLE 0x80000000u

#define PCI_CLASS 0x08
#define PCI_BAR0 0x10
#define PCI_CAPABILITIES 0x34
#define PCI_INTERRUPT_LINE 0x3C
#define CAPABILITY_LIMIT 48      /* a list in 192 bytes cannot be longer; one with a loop would never end */

struct pci_device pci_devices[PCI_MAX_DEVICES];
u32 pci_device_count;

static u16 select_register(u32 slot, u32 offset)
{
	out32(CONFIG_ADDRESS, CONFIG_ENABLE | slot << 11 | (offset & ~3u));
	return (u16)(CONFIG_DATA + (offset & 3));
}

/* An interrupt handler must not get between address and data. */
u32 pci_read(u32 slot, u32 offset, u32 width)
{
	u32 flags = irq_save(), value;
	u16 port = select_register(slot, offset);

	value = width == 1 ? in8(port) : width == 2 ? in16(port) : in32(port);
	irq_restore(flags);
	return value;
}

void pci_write(u32 slot, u32 offset, u32 width, u32 value)
{
	u32 flags = irq_save();
	u16 port = select_register(slot, offset);

	if (width == 1)
		out8(port, (u8)value);
	else if (width == 2)
		out16(port, (u16)value);
	else
		out32(port, value);
	irq_restore(flags);
}

/* Offset of the next capability of that kind after the one at `after` (0: from the beginning), or 0. */
u32 pci_capability(u32 slot, u32 after, u32 id)
{
	u32 at = pci_read(slot, after ? after + 1 : PCI_CAPABILITIES, 1), steps;

	for (steps = 0; at >= 0x40 && steps < CAPABILITY_LIMIT; steps++) {
		if (pci_read(slot, at, 1) == id)
			return at;
		at = pci_read(slot, at + 1, 1);
	}
	return 0;
}

/* Slot 0 is the bridge to the CPU: a class and nothing else.  An empty slot reads as all ones. */
void pci_scan(void)
{
	u32 slot;

	pci_device_count = 0;
	for (slot = 0; slot < PCI_MAX_DEVICES; slot++) {
		u32 id = pci_read(slot, 0, 4);

		if (id == 0xFFFFFFFF)
			continue;
		pci_devices[pci_device_count++] = (struct pci_device){
			.slot = (u8)slot,
			.irq = (u8)pci_read(slot, PCI_INTERRUPT_LINE, 1),
			.vendor = (u16)id,
			.device = (u16)(id >> 16),
			.class_code = pci_read(slot, PCI_CLASS, 4) >> 8,
			.bar0 = pci_read(slot, PCI_BAR0, 4) & ~15u,
		};
	}
}
