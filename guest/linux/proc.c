/*
 * proc.c: /proc: what the kernel knows, as files.  Their contents are made when they are opened, and the directories of the
 * processes when somebody looks for them.
 */
#include "../devices.h"
#include "linux.h"

/* As times(2) counts them. */
u32 proc_ticks(u64 nanoseconds) { return (u32)divide(nanoseconds, 10 * NSEC_PER_MSEC, NULL); }

/* ---- the whole machine ---- */

static s32 uptime(struct node *node, struct node *text)
{
	u32 rest, seconds = (u32)divide(clock_ns(), NSEC_PER_SEC, &rest);

	(void)node;
	node_print(text, "%u.%02u 0.00\n", seconds, rest / (10 * NSEC_PER_MSEC));
	return 0;
}

static s32 meminfo(struct node *node, struct node *text)
{
	u32 total = frames_total() * 4, unused = (frames_total() - frames_used()) * 4;

	(void)node;
	node_print(text, "MemTotal:       %8u kB\nMemFree:        %8u kB\nMemAvailable:   %8u kB\n", total, unused, unused);
	node_print(text, "Buffers:               0 kB\nCached:                0 kB\nSwapTotal:             0 kB\n");
	node_print(text, "SwapFree:              0 kB\nShmem:                 0 kB\nSReclaimable:          0 kB\n");
	return 0;
}

static s32 loadavg(struct node *node, struct node *text)
{
	const struct process *process;
	u32 count = 0, newest = 0;

	(void)node;
	for (process = processes; process; process = process->next, count++)
		newest = process->pid;
	node_print(text, "0.00 0.00 0.00 1/%u %u\n", count, newest);
	return 0;
}

static s32 stat(struct node *node, struct node *text)
{
	u32 irq, total = 0;

	(void)node;
	for (irq = 0; irq < LGUEST_IRQS; irq++)
		total += irq_count(irq);
	node_print(text, "cpu  0 0 0 %u 0 0 0 0 0 0\ncpu0 0 0 0 %u 0 0 0 0 0 0\nintr %u\nctxt 0\nbtime %u\n", proc_ticks(clock_ns()),
		   proc_ticks(clock_ns()), total, lguest_data.time.tv_sec - (u32)divide(clock_ns(), NSEC_PER_SEC, NULL));
	return 0;
}

static s32 cmdline(struct node *node, struct node *text)
{
	(void)node;
	node_write(text, 0, boot_command_line, strlen(boot_command_line));
	node_write(text, text->size, "\n", 1);
	return 0;
}

static s32 version(struct node *node, struct node *text)
{
	(void)node;
	node_print(text, "Linux version 4.12.0-guest (the reference Guest of lguest) #1\n");
	return 0;
}

static s32 filesystems(struct node *node, struct node *text)
{
	(void)node;
	node_print(text, "nodev\tproc\nnodev\ttmpfs\n\text2\n");
	return 0;
}

static s32 mounts(struct node *node, struct node *text)
{
	(void)node;
	mounts_list(text);
	return 0;
}

static s32 interrupts(struct node *node, struct node *text)
{
	u32 irq;

	(void)node;
	node_print(text, "           CPU0\n");
	for (irq = 0; irq < LGUEST_IRQS; irq++)
		if (irq_count(irq))
			node_print(text, "%3u: %10u  lguest  %s\n", irq, irq_count(irq), irq_name(irq));
	return 0;
}

/* ---- the directories ---- */

static const struct tree proc = {.type = "proc", .device = PROC_DEVICE};

struct node *proc_add(struct node *directory, const char *name, u32 mode, s32 (*generate)(struct node *, struct node *))
{
	struct node *node = node_create(mode);

	node->tree = &proc;
	node->generate = generate;
	directory_add(directory, name, strlen(name), node);
	node_release(node);
	return node;
}

static s32 fill_processes(struct node *directory)
{
	const struct process *process;
	struct entry *entry, *next;
	char name[12];

	for (entry = directory->entries; entry; entry = next) {
		next = entry->next;
		if (entry->node->tree_data && !process_find(entry->node->tree_data))
			directory_remove(directory, entry);
	}
	for (process = processes; process; process = process->next) {
		number_text(name, process->pid);
		if (!directory_find(directory, name, strlen(name)))
			proc_add_process(directory, process->pid);
	}
	return 0;
}

static const struct tree proc_root = {.type = "proc", .device = PROC_DEVICE, .fill = fill_processes};

void proc_init(void)
{
	struct node *root = make_node("/proc", S_IFDIR | 0555);

	root->tree = &proc_root;
	proc_add(root, "self", S_IFLNK | 0777, proc_self);
	proc_add(root, "cmdline", S_IFREG | 0444, cmdline);
	proc_add(root, "filesystems", S_IFREG | 0444, filesystems);
	proc_add(root, "interrupts", S_IFREG | 0444, interrupts);
	proc_add(root, "loadavg", S_IFREG | 0444, loadavg);
	proc_add(root, "meminfo", S_IFREG | 0444, meminfo);
	proc_add(root, "mounts", S_IFREG | 0444, mounts);
	proc_add(root, "stat", S_IFREG | 0444, stat);
	proc_add(root, "uptime", S_IFREG | 0444, uptime);
	proc_add(root, "version", S_IFREG | 0444, version);
}
