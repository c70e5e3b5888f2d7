/* See code.S. The names of rows are code-64, code-256 and so on. */
#include <stdio.h>
#include <stdlib.h>

#define CALLS (4u << 20)
#define BYTES_OF_A_FUNCTION 64u

unsigned run_functions(unsigned count, unsigned times);

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++) {
		unsigned count = (unsigned)atoi(argv[i] + 5) * 1024u / BYTES_OF_A_FUNCTION;

		printf("@begin %s\n", argv[i]);
		printf("@end %s %08x 0 0\n", argv[i], run_functions(count, CALLS / count));
	}
	return 0;
}
