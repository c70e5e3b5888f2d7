/*
 * init.c: the tree of files as it is at the beginning, and the first program.
 */
#include "linux.h"

/* A program of our own, built into the image (programs/): name, and where its file begins and ends. */
struct built_in {
	const char *path;
	const u8 *begin, *end;
};

extern const struct built_in built_in_programs[];

static void give_contents(struct node *node, const u8 *data, u32 bytes)
{
	node->image = data;
	node->size = bytes;
}

/* Files with several names: the data is with one of them, the first or the last, as the packer liked it. */
#define MAX_LINKED 512

static struct {
	u32 inode;
	struct node *node;
} linked[MAX_LINKED];
static u32 linked_count;

static struct node *make_file(const struct initrd_file *file)
{
	struct node *node;
	u32 index;

	if (file->links < 2 || !S_IS(file->mode, REG))
		return make_node(file->name, file->mode);
	for (index = 0; index < linked_count; index++)
		if (linked[index].inode == file->inode)
			return make_link(file->name, file->mode, linked[index].node);
	node = make_node(file->name, file->mode);
	if (linked_count < MAX_LINKED) {
		linked[linked_count].inode = file->inode;
		linked[linked_count++].node = node;
	}
	return node;
}

static void unpack_one(const struct initrd_file *file)
{
	struct node *node;

	if (strcmp(file->name, ".") == 0 || !*file->name)
		return;
	node = make_file(file);
	node->mode = file->mode;
	node->mtime = node->ctime = node->atime = file->time;
	node->device = file->device;
	if (S_IS(file->mode, REG)) {
		if (file->bytes)
			give_contents(node, file->data, file->bytes);
	} else if (S_IS(file->mode, LNK) && file->bytes < PAGE_SIZE) {
		if (node->target)
			kfree(node->target, strlen(node->target) + 1);
		node->target = kalloc(file->bytes + 1);
		memcpy(node->target, file->data, file->bytes);
		node->size = file->bytes;
	}
}

static void add_link(const char *path, const char *target)
{
	struct node *node = make_node(path, S_IFLNK | 0777);

	if (node->target)
		return;                          /* it was in the initrd */
	node->size = strlen(target);
	node->target = kalloc(node->size + 1);
	memcpy(node->target, target, node->size + 1);
}

static void unpack_initrd(void)
{
	struct initrd_file file;
	u32 position = 0;

	while (initrd_next(&position, &file))
		unpack_one(&file);
}

static void add_built_in_programs(void)
{
	const struct built_in *program;
	struct node *node;

	for (program = built_in_programs; program->path; program++) {
		if (path_node(program->path, &node) >= 0) {
			node_release(node);      /* the initrd has one of that name */
			continue;
		}
		node = make_node(program->path, S_IFREG | 0755);
		give_contents(node, program->begin, (u32)(program->end - program->begin));
	}
}

void linux_init(void)
{
	static const char *const directories[] = {"/bin", "/dev", "/etc", "/mnt", "/tmp"};
	u32 index;

	root_node = node_create(S_IFDIR | 0755);
	for (index = 0; index < ARRAY_SIZE(directories); index++)
		make_node(directories[index], S_IFDIR | (index == 4 ? 01777 : 0755));
	unpack_initrd();
	device_files_init();
	proc_init();
	add_link("/dev/fd", "/proc/self/fd");
	add_link("/dev/stdin", "/proc/self/fd/0");
	add_link("/dev/stdout", "/proc/self/fd/1");
	add_link("/dev/stderr", "/proc/self/fd/2");
	add_built_in_programs();
	wait_for_interrupt = let_others_run;
}
