/*
 * commands.c: what can be asked at the prompt.
 */
#include "devices.h"
#include "io.h"

static void help(u32 count, char **words)
{
	u32 index;

	(void)count, (void)words;
	for (index = 0; index < command_count; index++)
		print("  %-8s %-23s %s\n", commands[index].name, commands[index].arguments, commands[index].summary);
	print("Commands on one line: separated by ';'.  Keys: backspace, ^U ^W ^C ^D, up, down.\n"
	      "For a beginning: run /bin/family; irqs; selftest\n");
}

static void mem(u32 count, char **words)
{
	u32 bytes, where = initrd_address(&bytes);

	(void)count, (void)words;
	print("memory     %7u KB\n", ram_bytes / 1024);
	if (ram_bytes > lowmem_bytes)
		print("out of use %7u KB (above what fits between 3 GB and the devices)\n", (ram_bytes - lowmem_bytes) / 1024);
	print("frames     %7u of 4 KB, %u in use, %u free\n", frames_total(), frames_used(), frames_total() - frames_used());
	if (bytes)
		print("initrd     %7u KB at 0x%08x, %u KB unpacked\n", bytes / 1024, where, initrd_unpacked_bytes() / 1024);
	print("paging     %s\n", pae ? "PAE, three levels, entries of 8 bytes" : "two levels, entries of 4 bytes");
	print("layout     programs 0x00000000 - 0x%08x\n", PAGE_OFFSET - 1);
	print("           memory   0x%08x - 0x%08x\n", PAGE_OFFSET, PAGE_OFFSET + lowmem_bytes - 1);
	print("           devices  0x%08x - 0x%08x\n", DEVICE_WINDOW, DEVICE_WINDOW + DEVICE_WINDOW_SIZE - 1);
	print("           Host     0x%08x - 0xffffffff\n", 0u - lguest_data.reserve_mem);
}

static void irqs(u32 count, char **words)
{
	(void)count, (void)words;
	irq_list();
}

static void print_date(u32 seconds)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct date date = date_of(seconds);
	char day[4], month[4];

	copy_text(day, sizeof(day), days + date.weekday * 3);
	copy_text(month, sizeof(month), months + (date.month - 1) * 3);
	print("%s %s %2u %02u:%02u:%02u UTC %u\n", day, month, date.day, date.hour, date.minute, date.second, date.year);
}

static void date(u32 count, char **words)
{
	u32 seconds, nanoseconds;

	(void)count, (void)words;
	wall_clock(&seconds, &nanoseconds);
	print_date(seconds);
}

static void time(u32 count, char **words)
{
	u32 seconds, nanoseconds;
	u64 before, took;

	(void)count, (void)words;
	wall_clock(&seconds, &nanoseconds);
	print("wall clock      %u.%09u seconds since 1970\n", seconds, nanoseconds);
	print("last interrupt  %u.%09u (lguest_data.time)\n", lguest_data.time.tv_sec, lguest_data.time.tv_nsec);
	print("since start     %llu ns\n", clock_ns());
	print("time stamp      %llu at %u kHz\n", read_tsc(), lguest_data.tsc_khz);
	before = clock_ns();
	sleep_ns(10 * NSEC_PER_MSEC);
	took = clock_ns() - before;
	print("10 ms of sleep  %llu ns\n", took);
}

static void uptime(u32 count, char **words)
{
	u32 nanoseconds, seconds = (u32)divide(clock_ns(), NSEC_PER_SEC, &nanoseconds);

	(void)count, (void)words;
	print("up %u:%02u:%02u.%03u\n", seconds / 3600, seconds / 60 % 60, seconds % 60, nanoseconds / NSEC_PER_MSEC);
}

static void sleep(u32 count, char **words)
{
	u32 seconds;

	if (count != 2 || !parse_number(words[1], &seconds))
		print("sleep: how many seconds?\n");
	else
		sleep_ns((u64)seconds * NSEC_PER_SEC);
}

static void rng(u32 count, char **words)
{
	u8 bytes[256];
	u32 wanted = 16, index;

	if (count > 1 && (!parse_number(words[1], &wanted) || !wanted || wanted > sizeof(bytes))) {
		print("rng: how many bytes, 1 to %u?\n", (u32)sizeof(bytes));
		return;
	}
	if (!rng_present()) {
		print("rng: there is none (the Launcher's option --rng adds one)\n");
		return;
	}
	wanted = rng_read(bytes, wanted);
	for (index = 0; index < wanted; index++)
		print("%02x%s", bytes[index], index % 32 == 31 || index + 1 == wanted ? "\n" : " ");
}

static void pci(u32 count, char **words)
{
	u32 index;

	(void)count, (void)words;
	print("slot  id         class   irq  BAR 0\n");
	for (index = 0; index < pci_device_count; index++) {
		const struct pci_device *device = &pci_devices[index];

		print("%4u  %04x:%04x  %06x  %3u  %08x\n", device->slot, device->vendor, device->device, device->class_code,
		      device->irq, device->bar0);
	}
	console_describe();
}

static void cpuinfo(u32 count, char **words)
{
	static const char *const names[32] = {
		"fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", NULL, "sep", "mtrr", "pge", "mca", "cmov",
		"pat", "pse36", "pn", "clflush", NULL, "dts", "acpi", "mmx", "fxsr", "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe",
	};
	struct cpuid zero = read_cpuid(0), one = read_cpuid(1), extended = read_cpuid(0x80000000);
	char vendor[13] = {0}, brand[49] = {0};
	u32 leaf, bit;

	(void)count, (void)words;
	memcpy(vendor, &zero.ebx, 4);
	memcpy(vendor + 4, &zero.edx, 4);
	memcpy(vendor + 8, &zero.ecx, 4);
	print("vendor    %s, family %u, model %u, stepping %u\n", vendor, one.eax >> 8 & 15, one.eax >> 4 & 15, one.eax & 15);
	if (extended.eax >= 0x80000004) {
		for (leaf = 0; leaf < 3; leaf++) {
			struct cpuid part = read_cpuid(0x80000002 + leaf);

			memcpy(brand + leaf * 16, &part, 16);
		}
		print("name      %s\n", brand);
	}
	if (lguest_data.tsc_khz)
		print("clock     %u.%03u MHz\n", lguest_data.tsc_khz / 1000, lguest_data.tsc_khz % 1000);
	print("features ");
	for (bit = 0; bit < 32; bit++)
		if (one.edx >> bit & 1 && names[bit])
			print(" %s", names[bit]);
	print("%s\n", one.ecx & 1 ? " sse3" : "");
}

static void echo(u32 count, char **words)
{
	u32 index;

	for (index = 1; index < count; index++)
		print("%s%s", words[index], index + 1 < count ? " " : "");
	print("\n");
}

static void run_selftest(u32 count, char **words)
{
	(void)count, (void)words;
	selftest();
}

static void crash_command(u32 count, char **words)
{
	char text[128] = "because you asked";
	u32 index, used = 0;

	for (index = 1; index < count; index++) {
		copy_text(text + used, sizeof(text) - used, words[index]);
		used = strlen(text);
		if (index + 1 < count && used + 1 < sizeof(text))
			text[used++] = ' ';
	}
	crash("%s", text);
}

/* Nothing at all happens until somebody types something. */
static void halt(u32 count, char **words)
{
	u32 flags;

	(void)count, (void)words;
	print("halted: any key wakes me\n");
	flags = irq_save();
	while (!console_waiting())
		irq_wait();
	irq_restore(flags);
}

static void reboot(u32 count, char **words)
{
	(void)count, (void)words;
	restart();
}

static void poweroff(u32 count, char **words)
{
	(void)count, (void)words;
	power_off();
}

const struct command commands[] = {
	{"help", "", "this list", help},
	{"mem", "", "memory: how much, and where", mem},
	{"irqs", "", "interrupts: how many of each, and for whom", irqs},
	{"time", "", "the clocks, and how exact the alarm is", time},
	{"date", "", "the date", date},
	{"uptime", "", "how long we have been running", uptime},
	{"sleep", "SECONDS", "wait", sleep},
	{"disk", "[NAME] [VERB...]", "disks: read N, write N TEXT, flush, sum", command_disk},
	{"rng", "[BYTES]", "random bytes from the Host", rng},
	{"net", "", "the network card, and what went over it", command_net},
	{"ping", "ADDRESS [TIMES]", "ask another machine for an echo", command_ping},
	{"pci", "", "the devices on the bus", pci},
	{"cpuinfo", "", "the processor", cpuinfo},
	{"run", "PROGRAM [ARGUMENT...]", "run a Linux/i386 program", command_run},
	{"syscalls", "", "system calls that programs have made", system_calls_list},
	{"ls", "[DIRECTORY]", "files: the initrd's, our own, /proc", command_ls},
	{"cat", "FILE...", "what is in them", command_cat},
	{"sum", "FILE...", "their checksums (crc32)", command_sum},
	{"echo", "TEXT", "say it", echo},
	{"selftest", "", "check every promise of the Host", run_selftest},
	{"halt", "", "sleep until a key is pressed", halt},
	{"crash", "[TEXT]", "die, and say so", crash_command},
	{"reboot", "", "start again", reboot},
	{"poweroff", "", "the end", poweroff},
};

const u32 command_count = ARRAY_SIZE(commands);
