/*
 * path.c: from a name to a node.
 */
#include "linux.h"

#define MAX_LINKS 40
#define PATH_BYTES PAGE_SIZE

static struct node *up(struct node *directory)
{
	while (directory->covers)
		directory = directory->covers;
	return directory->parent ? directory->parent : directory;
}

/* What is mounted there hides what was there. */
static struct node *uncover(struct node *node)
{
	while (node->covered_by)
		node = node->covered_by;
	return node;
}

static s32 step(struct node *directory, const char *name, u32 length, struct node **found)
{
	struct entry *entry;
	s32 error;

	*found = NULL;
	if (!S_IS(directory->mode, DIR))
		return -ENOTDIR;
	if (length == 1 && name[0] == '.') {
		*found = directory;
	} else if (length == 2 && name[0] == '.' && name[1] == '.') {
		*found = uncover(up(directory));
	} else {
		error = directory_fill(directory);
		if (error < 0)
			return error;
		entry = directory_find(directory, name, length);
		*found = entry ? uncover(entry->node) : NULL;
	}
	return 0;
}

/* Puts a symbolic link's target before the rest of the path. */
static s32 follow(const struct node *link, char **text, const char **rest)
{
	u32 length = strlen(link->target), rest_length = strlen(*rest);
	char *joined;

	if (length + rest_length + 2 > PATH_BYTES)
		return -ENAMETOOLONG;
	joined = virt(frame_alloc());
	memcpy(joined, link->target, length);
	if (rest_length)
		joined[length++] = '/';
	memcpy(joined + length, *rest, rest_length + 1);
	frame_free(phys(*text));
	*text = joined;
	*rest = joined;
	return 0;
}

/* A link in /proc has no target before somebody asks. */
static void refresh_target(struct node *link)
{
	if (link->generate)
		link->generate(link, link);
}

static s32 walk(struct node *directory, u32 how, struct place *place)
{
	const char *rest = place->text;
	u32 links = 0;

	for (;;) {
		struct node *node;
		u32 length = 0;
		bool last;
		s32 error;

		if (*rest == '/')
			directory = uncover(root_node);
		while (*rest == '/')
			rest++;
		while (rest[length] && rest[length] != '/')
			length++;
		place->name = rest;
		place->length = length;
		place->directory = directory;
		if (!length) {
			place->node = directory;         /* "/" */
			return 0;
		}
		error = step(directory, rest, length, &node);
		if (error < 0)
			return error;
		for (rest += length, place->slash = *rest == '/'; *rest == '/';)
			rest++;
		last = !*rest;
		if (node && node->leads_to && (!last || how & FOLLOW)) {
			node = node->leads_to(node);
			if (!node)
				return -ENOENT;
		}
		if (node && S_IS(node->mode, LNK) && (!last || how & FOLLOW || place->slash)) {
			if (++links > MAX_LINKS)
				return -ELOOP;
			refresh_target(node);
			error = node->target ? follow(node, &place->text, &rest) : -ENOENT;
			if (error < 0)
				return error;
			continue;
		}
		place->node = node;
		if (last)
			return node && place->slash && !S_IS(node->mode, DIR) ? -ENOTDIR : 0;
		if (!node)
			return -ENOENT;
		directory = node;
	}
}

/* Takes over the page `text`. */
static s32 find(struct node *directory, char *text, u32 how, struct place *place)
{
	s32 error;

	*place = (struct place){.text = text};
	error = *text ? walk(directory, how, place) : -ENOENT;
	if (error >= 0 && !place->node && !(how & WANT_PARENT))
		error = -ENOENT;
	if (error < 0) {
		frame_free(phys(place->text));
		*place = (struct place){0};
		return error;
	}
	if (place->node)
		node_hold(place->node);
	node_hold(place->directory);
	return 0;
}

void place_release(struct place *place)
{
	if (place->node)
		node_release(place->node);
	if (place->directory)
		node_release(place->directory);
	if (place->text)
		frame_free(phys(place->text));
	*place = (struct place){0};
}

static s32 start_directory(s32 number, struct node **directory)
{
	struct file *file;

	if (number == AT_FDCWD) {
		*directory = current->process ? current->process->files->directory : root_node;
		return 0;
	}
	file = file_get((u32)number);
	if (!file)
		return -EBADF;
	*directory = file->node;
	return S_IS(file->node->mode, DIR) ? 0 : -ENOTDIR;
}

s32 path_find(s32 directory, const char *path, u32 how, struct place *place)
{
	struct node *start;
	char *text = virt(frame_alloc());
	s32 error;

	copy_text(text, PATH_BYTES, path);
	error = *text == '/' ? (start = root_node, 0) : start_directory(directory, &start);
	if (error < 0) {
		frame_free(phys(text));
		return error;
	}
	return find(start, text, how, place);
}

s32 path_find_user(s32 directory, u32 path, u32 how, struct place *place)
{
	struct node *start = root_node;
	char *text = virt(frame_alloc());
	s32 error = copy_string_in(text, path, PATH_BYTES);

	*place = (struct place){0};
	if (error >= 0 && *text != '/')
		error = start_directory(directory, &start);
	if (error < 0) {
		frame_free(phys(text));
		return error;
	}
	return find(start, text, how, place);
}

/* Of our own paths; the node is held. */
s32 path_node(const char *path, struct node **node)
{
	struct place place;
	s32 error = path_find(AT_FDCWD, path, FOLLOW, &place);

	if (error < 0)
		return error;
	*node = node_hold(place.node);
	place_release(&place);
	return 0;
}

/* The name of a directory, found by climbing.  Returns its length with the NUL. */
s32 path_of(struct node *node, char *to, u32 size)
{
	u32 at = size - 1, length;

	to[at] = '\0';
	while (up(node) != node) {
		struct node *parent = up(node);
		struct entry *entry;
		struct node *named = node;

		while (named->covers)
			named = named->covers;
		for (entry = parent->entries; entry && entry->node != named;)
			entry = entry->next;
		if (!entry)
			return -ENOENT;
		if (entry->length + 1 > at)
			return -ERANGE;
		at -= entry->length;
		memcpy(to + at, entry->name, entry->length);
		to[--at] = '/';
		node = uncover(parent);
	}
	if (at == size - 1)
		to[--at] = '/';
	length = size - at;
	memmove(to, to + at, length);
	return (s32)length;
}

/*
 * For ourselves: makes a node, or gives one another name, and makes the directories that lead there.  What is there already is
 * returned as it is.
 */
struct node *make_link(const char *path, u32 mode, struct node *known)
{
	struct node *directory = root_node, *node = NULL;

	while (*path) {
		struct entry *entry;
		u32 length = 0;
		bool last;

		while (*path == '/')
			path++;
		while (path[length] && path[length] != '/')
			length++;
		if (!length)
			break;
		last = !path[length];
		entry = directory_find(directory, path, length);
		if (entry) {
			node = entry->node;
		} else {
			node = last && known ? node_hold(known) : node_create(last ? mode : S_IFDIR | 0755);
			directory_add(directory, path, length, node);
			node_release(node);              /* the directory holds it */
		}
		directory = node;
		path += length;
	}
	return node ? node : root_node;
}

struct node *make_node(const char *path, u32 mode) { return make_link(path, mode, NULL); }
