/*
 * run-command.c: programs from the prompt's side: run, syscalls.
 */
#include "linux.h"

/* While the prompt waits for something, the programs that are left in the background go on. */
void let_others_run(void)
{
	struct task *task = current->next;

	while (task != current && task->state != TASK_READY)
		task = task->next;
	if (task == current)
		irq_wait();
	else
		schedule();
	lguest_data.irq_enabled = 0;
}

static const char *error_text(s32 error)
{
	return error == -ENOENT ? "no such file" : error == -EACCES ? "not a program (it may not be run)" :
	       error == -ENOEXEC ? "not a static Linux/i386 program" : error == -ENOMEM ? "not enough memory" : "cannot be run";
}

void run_program(char *const *words)
{
	u32 status = 0;
	s32 error = process_run(words[0], words, &status);

	console_discard_interrupt();
	if (error < 0)
		print("%s: %s (error %d)\n", words[0], error_text(error), -error);
	else if (status & 0x7F)
		print("%s: ended by signal %u\n", words[0], status & 0x7F);
	else if (status)
		print("%s: status %u\n", words[0], status >> 8);
}

void command_run(u32 count, char **words)
{
	if (count < 2) {
		print("run: which program?  (ls lists them; our own are in /bin)\n");
		return;
	}
	words[count] = NULL;
	run_program(words + 1);
}

/* init= on the command line, or what an initrd has at the places where Linux looks.  False if there is nothing. */
bool run_first_program(void)
{
	static const char *const usual[] = {"/init", "/sbin/init", "/bin/sh"};
	static char path[128];
	char *words[2] = {path, NULL};
	struct node *node;
	u32 index, bytes;

	if (boot_option("init", path, sizeof(path))) {
		run_program(words);
		return true;
	}
	for (index = 0; initrd_address(&bytes) && index < ARRAY_SIZE(usual); index++) {
		if (path_node(usual[index], &node) < 0)
			continue;
		node_release(node);
		copy_text(path, sizeof(path), usual[index]);
		run_program(words);
		return true;
	}
	return false;
}
