/*
 * proc.c: /proc: what the kernel knows, as files.  Their contents are made when they are opened, and the directories of the
 * processes when somebody looks for them.
 */
#include "../devices.h"
#include "linux.h"

static u32 ticks(u64 nanoseconds) { return (u32)divide(nanoseconds, 10 * NSEC_PER_MSEC, NULL); }

static struct process *process_of(const struct node *node) { return process_find(node->tree_data); }

/* ---- one process ---- */

static char state_of(const struct process *process)
{
	const struct task *task = current;

	if (process->zombie)
		return 'Z';
	if (process->stopped)
		return 'T';
	do {
		if (task->process == process && task->state == TASK_READY)
			return 'R';
		task = task->next;
	} while (task != current);
	return 'S';
}

static u32 size_of(const struct process *process)
{
	return process->memory ? memory_pages(process->memory) * PAGE_SIZE : 0;
}

static u32 resident(const struct process *process)
{
	const struct region *region;
	u32 at, pages = 0;

	for (region = process->memory ? process->memory->regions : NULL; region; region = region->next)
		for (at = space_next_used(&process->memory->space, region->start, region->end); at < region->end;
		     at = space_next_used(&process->memory->space, at + PAGE_SIZE, region->end))
			pages++;
	return pages;
}

static s32 process_stat(struct node *node, struct node *text)
{
	const struct process *process = process_of(node);
	u32 tty;

	if (!process)
		return -ESRCH;
	tty = process->has_tty ? 229 << 8 : 0;
	node_print(text, "%u (%s) %c %u %u %u %u %u 0 0 0 0 0 ", process->pid, process->name, state_of(process),
		   process->parent ? process->parent->pid : 0, process->group, process->session, tty,
		   process->has_tty ? tty_group() : 0);
	node_print(text, "%u 0 %u 0 20 0 %u 0 %u %u %u 4294967295 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n", ticks(process->ran),
		   ticks(process->children_ran), process->tasks, ticks(process->started), size_of(process), resident(process));
	return 0;
}

static s32 process_status(struct node *node, struct node *text)
{
	const struct process *process = process_of(node);

	if (!process)
		return -ESRCH;
	node_print(text, "Name:\t%s\nState:\t%c\nTgid:\t%u\nPid:\t%u\nPPid:\t%u\n", process->name, state_of(process), process->pid,
		   process->pid, process->parent ? process->parent->pid : 0);
	node_print(text, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nVmSize:\t%8u kB\nVmRSS:\t%8u kB\nThreads:\t%u\n",
		   size_of(process) / 1024, resident(process) * 4, process->tasks);
	return 0;
}

/* From the stack of a program that may not be the current one: page by page, through its own tables. */
static s32 process_cmdline(struct node *node, struct node *text)
{
	const struct process *process = process_of(node);
	u32 at, part, entry;

	if (!process)
		return -ESRCH;
	if (!process->memory)
		return 0;
	for (at = process->memory->arguments; at < process->memory->arguments_end; at += part) {
		part = PAGE_SIZE - (at & (PAGE_SIZE - 1));
		if (part > process->memory->arguments_end - at)
			part = process->memory->arguments_end - at;
		entry = read_pte(&process->memory->space, at);
		if (!entry)
			break;
		node_write(text, text->size, (u8 *)virt(entry & ~(PAGE_SIZE - 1)) + (at & (PAGE_SIZE - 1)), part);
	}
	return 0;
}

static s32 process_maps(struct node *node, struct node *text)
{
	const struct process *process = process_of(node);
	const struct region *region;

	for (region = process && process->memory ? process->memory->regions : NULL; region; region = region->next) {
		const char *name = region->start == process->memory->stack_start ? "[stack]" :
				   region->end > process->memory->brk_start && region->start < process->memory->brk ? "[heap]" : "";

		node_print(text, "%08x-%08x %c%c%c%c %08x 00:02 %u %s\n", region->start, region->end,
			   region->protection & PROT_READ ? 'r' : '-', region->protection & PROT_WRITE ? 'w' : '-',
			   region->protection & PROT_EXEC ? 'x' : '-', region->shared ? 's' : 'p', region->offset,
			   region->node ? region->node->inode : 0, name);
	}
	return 0;
}

static void set_target(struct node *link, const char *text)
{
	if (link->target)
		kfree(link->target, strlen(link->target) + 1);
	link->target = kalloc(strlen(text) + 1);
	memcpy(link->target, text, strlen(text) + 1);
}

/* Finds some name of a file that is no directory. */
static bool find_name(struct node *directory, const struct node *wanted, char *to, u32 size)
{
	struct entry *entry;

	for (entry = directory->entries; entry; entry = entry->next) {
		if (entry->node == wanted) {
			s32 length = path_of(directory, to, size - entry->length - 2);

			if (length < 0)
				return false;
			if (length > 2)
				to[length++ - 1] = '/';
			memcpy(to + length - 1, entry->name, entry->length + 1);
			return true;
		}
		if (S_IS(entry->node->mode, DIR) && !entry->node->covered_by && find_name(entry->node, wanted, to, size))
			return true;
	}
	return false;
}

static s32 process_exe(struct node *node, struct node *link)
{
	const struct process *process = process_of(node);
	char *text = kalloc(PAGE_SIZE);

	if (process && process->memory && process->memory->program &&
	    find_name(root_node, process->memory->program, text, PAGE_SIZE))
		set_target(link, text);
	kfree(text, PAGE_SIZE);
	return 0;
}

static s32 process_cwd(struct node *node, struct node *link)
{
	const struct process *process = process_of(node);
	char *text = kalloc(PAGE_SIZE);

	if (process && process->files && path_of(process->files->directory, text, PAGE_SIZE) > 0)
		set_target(link, text);
	kfree(text, PAGE_SIZE);
	return 0;
}

static s32 self(struct node *node, struct node *link)
{
	char text[12];

	(void)node;
	number_text(text, current->process ? current->process->pid : 0);
	set_target(link, text);
	return 0;
}

/* ---- open files: links that lead to the file itself, whatever name it has, or none ---- */

#define FD_BITS 9

static struct node *opened(struct node *link)
{
	const struct process *process = process_find(link->tree_data >> FD_BITS);
	u32 number = link->tree_data & (OPEN_FILES - 1);

	return process && process->files && process->files->file[number] ? process->files->file[number]->node : NULL;
}

static s32 opened_name(struct node *node, struct node *link)
{
	struct node *file = opened(node);
	char *text = kalloc(PAGE_SIZE);

	if (file && S_IS(file->mode, FIFO))
		format_text(text, PAGE_SIZE, "pipe:[%u]", file->inode);
	else if (!file || !find_name(root_node, file, text, PAGE_SIZE))
		format_text(text, PAGE_SIZE, "(a file without a name)");
	set_target(link, text);
	kfree(text, PAGE_SIZE);
	return 0;
}

static s32 fill_open_files(struct node *directory);

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
	node_print(text, "cpu  0 0 0 %u 0 0 0 0 0 0\ncpu0 0 0 0 %u 0 0 0 0 0 0\nintr %u\nctxt 0\nbtime %u\n", ticks(clock_ns()),
		   ticks(clock_ns()), total, lguest_data.time.tv_sec - (u32)divide(clock_ns(), NSEC_PER_SEC, NULL));
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

static s32 fill_processes(struct node *directory);

static const struct tree proc = {.type = "proc", .device = 3};
static const struct tree proc_open_files = {.type = "proc", .device = 3, .fill = fill_open_files};
static const struct tree proc_root = {.type = "proc", .device = 3, .fill = fill_processes};

static struct node *add_file(struct node *directory, const char *name, u32 mode, s32 (*generate)(struct node *, struct node *))
{
	struct node *node = node_create(mode);

	node->tree = &proc;
	node->generate = generate;
	directory_add(directory, name, strlen(name), node);
	node_release(node);
	return node;
}

static void add_process(struct node *directory, u32 pid)
{
	static const struct {
		const char *name;
		u32 mode;
		s32 (*generate)(struct node *, struct node *);
	} files[] = {
		{"stat", S_IFREG | 0444, process_stat}, {"status", S_IFREG | 0444, process_status},
		{"cmdline", S_IFREG | 0444, process_cmdline}, {"maps", S_IFREG | 0444, process_maps},
		{"exe", S_IFLNK | 0777, process_exe}, {"cwd", S_IFLNK | 0777, process_cwd},
	};
	struct node *node = node_create(S_IFDIR | 0555);
	char name[12];
	u32 index;

	number_text(name, pid);
	node->tree = &proc;
	node->tree_data = pid;
	directory_add(directory, name, strlen(name), node);
	for (index = 0; index < ARRAY_SIZE(files); index++)
		add_file(node, files[index].name, files[index].mode, files[index].generate)->tree_data = pid;
	add_file(node, "fd", S_IFDIR | 0500, NULL)->tree = &proc_open_files;
	directory_find(node, "fd", 2)->node->tree_data = pid;
	node_release(node);
}

static s32 fill_open_files(struct node *directory)
{
	const struct process *process = process_of(directory);
	u32 number;
	char name[12];

	while (directory->entries)
		directory_remove(directory, directory->entries);
	for (number = 0; process && process->files && number < OPEN_FILES; number++) {
		struct node *link;

		if (!process->files->file[number])
			continue;
		number_text(name, number);
		link = add_file(directory, name, S_IFLNK | 0700, opened_name);
		link->tree_data = directory->tree_data << FD_BITS | number;
		link->leads_to = opened;
	}
	return 0;
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
			add_process(directory, process->pid);
	}
	return 0;
}

void proc_init(void)
{
	struct node *root = make_node("/proc", S_IFDIR | 0555);

	root->tree = &proc_root;
	add_file(root, "self", S_IFLNK | 0777, self);
	add_file(root, "cmdline", S_IFREG | 0444, cmdline);
	add_file(root, "filesystems", S_IFREG | 0444, filesystems);
	add_file(root, "interrupts", S_IFREG | 0444, interrupts);
	add_file(root, "loadavg", S_IFREG | 0444, loadavg);
	add_file(root, "meminfo", S_IFREG | 0444, meminfo);
	add_file(root, "mounts", S_IFREG | 0444, mounts);
	add_file(root, "stat", S_IFREG | 0444, stat);
	add_file(root, "uptime", S_IFREG | 0444, uptime);
	add_file(root, "version", S_IFREG | 0444, version);
}
