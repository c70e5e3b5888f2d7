/* A binary tree of 400 thousand keys, then as many searches: pointers into memory that no cache holds. */
#include <stdlib.h>
#include "workload.h"

#define NODES 400000

struct node {
	struct node *less, *more;
	uint32_t key;
};

uint32_t tree(void)
{
	struct node *nodes = allocate(NODES * sizeof(struct node)), *root = 0;
	uint64_t random = FIRST_RANDOM;
	uint32_t depth = 0;

	for (int i = 0; i < NODES; i++) {
		struct node **place = &root;

		nodes[i].key = (uint32_t)next_random(&random);
		while (*place)
			place = nodes[i].key < (*place)->key ? &(*place)->less : &(*place)->more;
		*place = &nodes[i];
	}
	for (int i = 0; i < NODES; i++) {
		uint32_t key = (uint32_t)next_random(&random);

		for (struct node *node = root; node; node = key < node->key ? node->less : node->more)
			depth++;
	}
	free(nodes);
	return depth;
}
