/*
 * exec.c: a process gets another program.
 */
#include "linux.h"

#define MAX_INTERPRETERS 4

void strings_free(struct strings *strings)
{
	u32 index;

	for (index = 0; index < STRING_PAGES; index++) {
		kfree(strings->pages[index], PAGE_SIZE);
		strings->pages[index] = NULL;
	}
	strings->bytes = strings->count = 0;
}

static s32 add_byte(struct strings *strings, char c)
{
	u32 page = strings->bytes / PAGE_SIZE;

	if (page >= STRING_PAGES)
		return -E2BIG;
	if (!strings->pages[page])
		strings->pages[page] = kalloc(PAGE_SIZE);
	strings->pages[page][strings->bytes++ % PAGE_SIZE] = (u8)c;
	return 0;
}

s32 strings_add(struct strings *strings, const char *text)
{
	do {
		if (add_byte(strings, *text) < 0)
			return -E2BIG;
	} while (*text++);
	strings->count++;
	return 0;
}

/* The list ends with a 0.  No list is an empty one. */
s32 strings_add_user(struct strings *strings, u32 list)
{
	char *text = kalloc(PAGE_SIZE);
	s32 error = 0;

	for (; list; list += 4) {
		u32 string;

		error = copy_in(&string, list, sizeof(string));
		if (error < 0 || !string)
			break;
		do {                             /* a string may be longer than a page: piece by piece */
			u32 part = PAGE_SIZE - (string & (PAGE_SIZE - 1)), at;

			error = copy_in(text, string, part);
			for (at = 0; error >= 0 && at < part; at++) {
				error = add_byte(strings, text[at]);
				if (!text[at])
					break;
			}
			string += part;
			if (error >= 0 && at < part)
				break;
		} while (error >= 0);
		if (error < 0)
			break;
		strings->count++;
	}
	kfree(text, PAGE_SIZE);
	return error;
}

/* The first string makes room for others. */
static s32 replace_first(struct strings *strings, const char *const *words)
{
	struct strings *joined = kalloc(sizeof(*joined));
	u32 at = 0, count = strings->count;
	s32 error = 0;

	for (; *words && error >= 0; words++)
		error = strings_add(joined, *words);
	while (at < strings->bytes && strings->pages[at / PAGE_SIZE][at % PAGE_SIZE])
		at++;
	for (at++; at < strings->bytes && error >= 0; at++)
		error = add_byte(joined, (char)strings->pages[at / PAGE_SIZE][at % PAGE_SIZE]);
	joined->count += count ? count - 1 : 0;
	strings_free(strings);
	*strings = *joined;
	kfree(joined, sizeof(*joined));
	return error;
}

/* "#!interpreter argument": the interpreter, the argument, the path of the script, the script's own arguments. */
static s32 script(const u8 *start, s32 length, const char *path, struct strings *arguments, struct node **interpreter)
{
	char line[256], *at = line + 2, *name, *end;
	const char *words[4] = {0};
	u32 count = 0;
	s32 error;

	if (length > (s32)sizeof(line) - 1)
		length = sizeof(line) - 1;
	memcpy(line, start, (u32)length);
	line[length] = '\0';
	for (end = line; *end && *end != '\n';)
		end++;
	*end = '\0';
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	while (*at == ' ' || *at == '\t')
		at++;
	name = at;
	if (!*name)
		return -ENOEXEC;
	while (*at && *at != ' ' && *at != '\t')
		at++;
	words[count++] = name;
	if (*at) {
		*at++ = '\0';
		while (*at == ' ' || *at == '\t')
			at++;
		words[count++] = at;
	}
	words[count++] = path;
	error = replace_first(arguments, words);
	return error < 0 ? error : path_node(name, interpreter);
}

static s32 executable(const struct node *node)
{
	return S_IS(node->mode, REG) && node->mode & 0111 ? 0 : -EACCES;
}

/* The threads that are not this one: none of them comes back from where it is. */
static s32 end_other_threads(struct process *process)
{
	struct task *task;

	for (task = current->next; task != current; task = task->next)
		if (task->process == process) {
			task->killed = true;
			if (task->state == TASK_STOPPED)
				task->state = TASK_READY;
			wake_task(task);
		}
	while (process->tasks > 1)
		if (wait_on(process, NEVER) < 0)
			return -EINTR;
	current->tid = process->pid;
	process->leader = current;
	return 0;
}

static void forget_handlers(struct process *process)
{
	struct handlers *handlers = kalloc(sizeof(*handlers));
	u32 signal;

	handlers->users = 1;
	for (signal = 1; signal <= SIGNALS; signal++)
		if (process->handlers->action[signal].handler == SIG_IGN)
			handlers->action[signal].handler = SIG_IGN;
	if (--process->handlers->users == 0)
		kfree(process->handlers, sizeof(*handlers));
	process->handlers = handlers;
}

static void set_name(struct process *process, const char *path)
{
	const char *name = path;

	for (; *path; path++)
		if (*path == '/' && path[1])
			name = path + 1;
	copy_text(process->name, sizeof(process->name), name);
}

/* From here on there is no way back: what fails now ends the process. */
static void become(struct process *process, struct memory *memory, const char *path, u32 entry, u32 stack)
{
	struct memory *before = process->memory;

	process->memory = memory;
	memory_release(before);
	if (process->vforked)
		vfork_done(process);
	if (process->files->users > 1) {
		struct files *own = files_fork(process->files);

		files_release(process->files);
		process->files = own;
	}
	files_exec(process->files);
	forget_handlers(process);
	set_name(process, path);
	process->executed = true;
	current->signal_stack = (struct stack_t){.flags = SS_DISABLE};
	current->clear_child_tid = 0;
	memset(current->tls, 0, sizeof(current->tls));
	tls_load(current->tls);
	fpu_reset(current);
	fpu_load();
	*current->frame = (struct trap_frame){
		.ds = USER_DS, .es = USER_DS, .eip = entry, .cs = USER_CS, .eflags = X86_EFLAGS_IF, .esp = stack, .ss = USER_DS,
	};
}

static s32 exec_elf(struct node *node, const u8 *start, const char *path, struct strings *arguments, struct strings *environment)
{
	struct process *process = current->process;
	struct memory *memory = memory_create();
	struct elf_header header;
	u32 headers_at, stack;
	s32 error;

	error = elf_load(memory, node, start, &header, &headers_at);
	if (error >= 0)
		error = process->tasks > 1 ? end_other_threads(process) : 0;
	if (error < 0) {
		memory_release(memory);
		return error;
	}
	memory->program = node_hold(node);
	memory_enter(memory);
	stack = stack_build(memory, arguments, environment, path, &header, headers_at);
	if (!stack) {
		memory_enter(process->memory);
		memory_release(memory);
		return -E2BIG;
	}
	become(process, memory, path, header.entry, stack);
	return 0;
}

s32 exec(struct node *node, const char *path, struct strings *arguments, struct strings *environment)
{
	u8 *start = kalloc(PAGE_SIZE);
	u32 depth;
	s32 error, length;

	node_hold(node);
	for (depth = 0;; depth++) {
		struct node *interpreter;

		error = depth < MAX_INTERPRETERS ? executable(node) : -ELOOP;
		if (error < 0)
			break;
		length = node_read(node, 0, start, PAGE_SIZE);
		if (length < 2 || start[0] != '#' || start[1] != '!') {
			error = length < (s32)sizeof(struct elf_header) ? -ENOEXEC
									: exec_elf(node, start, path, arguments, environment);
			break;
		}
		error = script(start, length, path, arguments, &interpreter);
		if (error < 0)
			break;
		node_release(node);
		node = interpreter;
	}
	node_release(node);
	kfree(start, PAGE_SIZE);
	return error;
}

s32 sys_execve(u32 path_at, u32 argument_list, u32 environment_list)
{
	struct strings *arguments = kalloc(sizeof(*arguments)), *environment = kalloc(sizeof(*environment));
	char *path = kalloc(PAGE_SIZE);
	struct place place;
	s32 error = copy_string_in(path, path_at, PAGE_SIZE);

	if (error >= 0)
		error = strings_add_user(arguments, argument_list);
	if (error >= 0)
		error = strings_add_user(environment, environment_list);
	if (error >= 0)
		error = path_find(AT_FDCWD, path, FOLLOW, &place);
	if (error >= 0) {
		error = exec(place.node, path, arguments, environment);
		place_release(&place);
	}
	strings_free(arguments);
	strings_free(environment);
	kfree(arguments, sizeof(*arguments));
	kfree(environment, sizeof(*environment));
	kfree(path, PAGE_SIZE);
	return error;
}
