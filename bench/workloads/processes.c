/* 200 times: fork, exec of /bin/true, wait. What it costs is the kernel's work with page tables. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "workload.h"

#define ROUNDS 200

uint32_t processes(void)
{
	uint32_t good = 0;

	for (int i = 0; i < ROUNDS; i++) {
		int status = 0;
		pid_t child = fork();

		if (child < 0)
			fail("fork");
		if (child == 0) {
			execl("/bin/true", "true", (char *)0);
			_exit(127);
		}
		if (waitpid(child, &status, 0) != child)
			fail("waitpid");
		good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	return good;
}
