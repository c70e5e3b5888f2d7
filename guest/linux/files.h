/*
 * files.h: the rooms of the upper floor that have to do with files.  It is a part of linux.h.
 */
#ifndef GUEST_LINUX_FILES_H
#define GUEST_LINUX_FILES_H

#include "../guest.h"
#include "abi.h"

/* ---- node.c, path.c: files by name ---- */

struct entry {
	struct entry *next;
	struct node *node;
	u32 serial;                      /* grows along the list: where a reader of the directory goes on */
	u32 length;
	char name[];
};

/* Where a node does not live in memory: how its contents are found. */
struct tree {
	const char *type;
	u32 device;
	bool read_only;
	s32 (*fill)(struct node *directory);                                  /* make its entries, or renew them */
	s32 (*read)(struct node *node, u32 offset, void *to, u32 bytes);      /* to is ours */
};

#define DIRECT_CHUNKS 64
#define CHUNK_PAGES 1024

struct node {
	u32 users, inode, mode, uid, gid, links, size, device;
	u32 atime, mtime, ctime, mtime_ns;
	const struct tree *tree;
	u32 tree_data;
	bool filled;
	struct node *parent;             /* of a directory */
	struct entry *entries;
	char *target;                    /* of a symbolic link */
	const u8 *image;                 /* contents that came with the initrd, until somebody changes them */
	u32 **chunks;                    /* contents: physical addresses of pages */
	struct pipe *pipe;               /* of a FIFO */
	s32 (*generate)(struct node *node, struct node *text);    /* contents made when it is opened */
	struct node *(*leads_to)(struct node *link);               /* a link that is no name: /proc/self/fd/1 */
	struct node *covered_by;         /* the root of what is mounted here */
	struct node *covers;             /* and back */
};

extern struct node *root_node;

struct node *node_create(u32 mode);
struct node *node_hold(struct node *node);
void node_release(struct node *node);
s32 node_read(struct node *node, u32 offset, void *to, u32 bytes);
s32 node_write(struct node *node, u32 offset, const void *from, u32 bytes);
s32 node_truncate(struct node *node, u32 size);
u32 node_page(struct node *node, u32 index, bool create);
void node_print(struct node *node, const char *format, ...) __attribute__((format(printf, 2, 3)));
void node_touch(struct node *node);

s32 directory_fill(struct node *directory);
struct entry *directory_find(struct node *directory, const char *name, u32 length);
s32 directory_add(struct node *directory, const char *name, u32 length, struct node *node);
void directory_remove(struct node *directory, struct entry *entry);

/* Where a path leads: the node (held), or none; the directory (held) and the last name in it. */
struct place {
	struct node *node, *directory;
	const char *name;
	u32 length;
	char *text;                      /* a page of ours */
	bool slash;                      /* the path ended with one */
};

enum { FOLLOW = 1, WANT_PARENT = 2 };

s32 path_find(s32 directory, const char *path, u32 how, struct place *place);
s32 path_find_user(s32 directory, u32 path, u32 how, struct place *place);
s32 path_node(const char *path, struct node **node);
void place_release(struct place *place);
s32 path_of(struct node *node, char *to, u32 size);
struct node *make_node(const char *path, u32 mode);
struct node *make_link(const char *path, u32 mode, struct node *known);

/* ---- file.c: files that are open ---- */

struct file_kind {
	s32 (*open)(struct file *file);
	s32 (*read)(struct file *file, void *to, u32 bytes);
	s32 (*write)(struct file *file, const void *from, u32 bytes);
	u32 (*poll)(struct file *file);
	s32 (*ioctl)(struct file *file, u32 request, u32 argument);
	void (*close)(struct file *file);
	bool seekable;
};

struct file {
	u32 users, flags, position;
	const struct file_kind *kind;
	struct node *node;
	void *data;
};

#define OPEN_FILES 256

/* What processes may share: open files, and where they are. */
struct files {
	u32 users;
	struct file *file[OPEN_FILES];
	u8 close_on_exec[OPEN_FILES / 8];
	struct node *directory;
	u32 umask;
};

extern const struct file_kind regular_kind, directory_kind, pipe_kind, tty_kind, disk_kind;

struct file *file_create(const struct file_kind *kind, struct node *node, u32 flags);
struct file *file_get(u32 number);
s32 file_open(struct node *node, u32 flags, struct file **file);
s32 file_install(struct file *file, u32 from, bool close_on_exec);
void file_release(struct file *file);
struct files *files_create(void);
struct files *files_fork(const struct files *files);
void files_release(struct files *files);
void files_exec(struct files *files);
u32 file_poll(struct file *file);
const struct file_kind *device_kind(const struct node *node);
s32 fifo_open(struct file *file);
void device_files_init(void);
void random_bytes(void *to, u32 bytes);

/* ---- tty.c: the terminal ---- */

u32 tty_group(void);
void tty_write(const char *text, u32 bytes);
void tty_reset(u32 session, u32 group);
void tty_session_ended(u32 session);

/* ---- proc.c, proc-process.c, mount.c, ext2.c ---- */

#define PROC_DEVICE 3

void proc_init(void);
u32 proc_ticks(u64 nanoseconds);
struct node *proc_add(struct node *directory, const char *name, u32 mode, s32 (*generate)(struct node *, struct node *));
void proc_add_process(struct node *directory, u32 pid);
s32 proc_self(struct node *node, struct node *link);
s32 mount(const char *source, const char *type, struct node *at);
void mounts_list(struct node *text);
s32 ext2_mount(const char *disk, struct node **root);

#endif
