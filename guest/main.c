/*
 * main.c: the order in which everything begins, and how it ends.
 *
 * boot.S jumps here, at our final address, on the boot page tables: the Host knows us, and has given us nothing yet but a
 * flat code and data segment.
 */
#include "devices.h"
#include "virtio.h"

void lguest_init(void);

/*
 * Is the word on the command line, alone or with a value (name=value, or name="several words")?  The value is copied if
 * there is a place for it.
 */
bool boot_option(const char *name, char *value, u32 size)
{
	const char *at = boot_command_line, *end;
	u32 length = strlen(name);
	char stop;

	for (; *at; at = end + (*end != '\0')) {
		bool quoted = false;

		for (end = at; *end && (*end != ' ' || quoted); end++)
			quoted ^= *end == '"';
		if (strncmp(at, name, length) != 0 || (at + length != end && at[length] != '='))
			continue;
		if (!value)
			return true;
		value[0] = '\0';
		if (at + length == end)
			return true;
		at += length + 1;
		stop = *at == '"' ? '"' : ' ';
		at += *at == '"';
		for (; size > 1 && at < end && *at != stop; size--)
			*value++ = *at++;
		*value = '\0';
		return true;
	}
	return false;
}

/* The Host knows only "the Guest has ended"; the text says how, and the Launcher reads it. */
static void shut_down(const char *text, u32 reason)
{
	for (;;)
		hcall(LHCALL_SHUTDOWN, phys(text), reason, 0, 0);
}

void power_off(void)
{
	static const char text[128] = "Power down";

	console_drain();
	for (;;)
		shut_down(text, LGUEST_SHUTDOWN_POWEROFF);
}

void restart(void)
{
	static const char text[128] = "Restarting system";

	console_drain();
	for (;;)
		shut_down(text, LGUEST_SHUTDOWN_RESTART);
}

/* The text is cut at 127 bytes, by us and by the Host. */
void crash(const char *format, ...)
{
	static char text[128];
	va_list arguments;

	console_panic();
	__builtin_va_start(arguments, format);
	format_arguments(text, sizeof(text), format, arguments);
	__builtin_va_end(arguments);
	print("\nGuest crash: %s\n", text);
	for (;;)
		shut_down(text, LGUEST_SHUTDOWN_POWEROFF);
}

static void attach_devices(void)
{
	u32 index;

	for (index = 0; index < pci_device_count; index++) {
		struct pci_device *device = &pci_devices[index];

		if (device->vendor != VIRTIO_VENDOR)
			continue;
		if (device->device == VIRTIO_DEVICE_CONSOLE)
			console_attach(device);
		else if (device->device == VIRTIO_DEVICE_BLOCK)
			disk_attach(device);
		else if (device->device == VIRTIO_DEVICE_RNG)
			rng_attach(device);
		else if (device->device == VIRTIO_DEVICE_NET)
			net_attach(device);
	}
}

static void banner(void)
{
	u32 initrd_bytes;

	print("lguest reference Guest: a small kernel that knows it is a guest\n");
	print("  command line: %s\n", boot_command_line);
	print("  memory: %u KB, paging: %s\n", ram_bytes / 1024, pae ? "PAE" : "two levels");
	if (lguest_data.tsc_khz)
		print("  time stamp counter: %u kHz\n", lguest_data.tsc_khz);
	else
		print("  time stamp counter: not to be trusted, says the Host\n");
	print("  devices: %u on the bus, %u disk%s%s%s\n", pci_device_count, disk_count(), disk_count() == 1 ? "" : "s",
	      rng_present() ? ", random numbers" : "", net_present() ? ", network" : "");
	initrd_address(&initrd_bytes);
	if (initrd_bytes)
		print("  initrd: %u KB%s\n", initrd_bytes / 1024, initrd_broken() ? ", which cannot be read" : "");
}

/* What the command line asks for, in this order: the self-test (and then the end), commands. */
static void obey_command_line(void)
{
	static char text[COMMAND_LINE_SIZE];
	u32 failed;

	if (boot_option("selftest", NULL, 0)) {
		failed = selftest();
		if (failed)
			crash("self-test: %u failed", failed);
		power_off();
	}
	if (boot_option("run", text, sizeof(text)))
		run_line(text);
}

void lguest_init(void)
{
	bool quiet = boot_option("quiet", NULL, 0);

	segments_init();
	early_console_init();
	traps_init();
	if (!quiet)
		print("lguest: Console via virtio-pci emerg_wr\n");
	memory_init();
	paging_init();
	user_init();
	time_init();
	time_start();
	irq_enable();

	pci_scan();
	attach_devices();
	initrd_init();
	linux_init();
	if (!quiet)
		banner();
	obey_command_line();
	run_first_program();
	if (!quiet)
		print("Type help for what I can do, poweroff to leave.\n");
	shell();
}
