/*
 * proc-process.c: the directory of one process in /proc.
 */
#include "linux.h"

static struct process *process_of(const struct node *node) { return process_find(node->tree_data); }

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
	node_print(text, "%u 0 %u 0 %d %d %u 0 %u %u %u 4294967295 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n", proc_ticks(process->ran),
		   proc_ticks(process->children_ran), 20 + process->nice, process->nice, process->tasks, proc_ticks(process->started), size_of(process), resident(process));
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

s32 proc_self(struct node *node, struct node *link)
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
		link = proc_add(directory, name, S_IFLNK | 0700, opened_name);
		link->tree_data = directory->tree_data << FD_BITS | number;
		link->leads_to = opened;
	}
	return 0;
}

/* ---- the directory ---- */

static const struct tree proc_process = {.type = "proc", .device = PROC_DEVICE};
static const struct tree proc_open_files = {.type = "proc", .device = PROC_DEVICE, .fill = fill_open_files};

void proc_add_process(struct node *directory, u32 pid)
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
	node->tree = &proc_process;
	node->tree_data = pid;
	directory_add(directory, name, strlen(name), node);
	for (index = 0; index < ARRAY_SIZE(files); index++)
		proc_add(node, files[index].name, files[index].mode, files[index].generate)->tree_data = pid;
	proc_add(node, "fd", S_IFDIR | 0500, NULL)->tree = &proc_open_files;
	directory_find(node, "fd", 2)->node->tree_data = pid;
	node_release(node);
}
