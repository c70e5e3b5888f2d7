// Runs each of the command lines in a file and shows what it prints and how it ends: `each FILE`. stdout and stderr of a
// command are one pipe, so that it finds the same wherever it runs; its stdin is empty.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS 8

static void become(char *line, int output)
{
	char *arguments[ARGUMENTS + 1] = {0};
	int count = 0, empty = open("/dev/null", O_RDONLY);

	for (char *word = strtok(line, " "); word && count < ARGUMENTS; word = strtok(NULL, " "))
		arguments[count++] = word;
	dup2(empty, 0);
	dup2(output, 1);
	dup2(output, 2);
	close(output);
	execv(arguments[0], arguments);
	printf("cannot be run\n");
	exit(127);
}

static void run(char *line)
{
	static char text[1 << 16];
	int ends[2], status;
	char last = '\n';
	pid_t child;

	printf("== %s\n", line);
	fflush(stdout);
	if (pipe(ends))
		exit(1);
	child = fork();
	if (!child) {
		close(ends[0]);
		become(line, ends[1]);
	}
	close(ends[1]);
	for (ssize_t length; (length = read(ends[0], text, sizeof(text))) > 0; last = text[length - 1])
		fwrite(text, 1, (size_t)length, stdout);
	close(ends[0]);
	waitpid(child, &status, 0);
	if (last != '\n')
		printf("\n");
	if (WIFSIGNALED(status))
		printf("= signal %d\n", WTERMSIG(status));
	else
		printf("= status %d\n", WEXITSTATUS(status));
}

int main(int count, char **arguments)
{
	char line[256];
	FILE *commands = count == 2 ? fopen(arguments[1], "r") : NULL;

	if (!commands)
		return 2;
	while (fgets(line, sizeof(line), commands)) {
		line[strcspn(line, "\n")] = 0;
		if (*line)
			run(line);
	}
	return 0;
}
