/*
 * elf.c: a program's file, and what it finds on its stack when it begins.
 */
#include "linux.h"

#define ENTRY_ADDRESS 0xFFFFF000u
#define ROUND_UP(bytes) (((bytes) + PAGE_SIZE - 1) & ENTRY_ADDRESS)
#define MAX_PROGRAM_HEADERS 32
#define HWCAP_I686 0x0789A971    /* what glibc may take for granted: what our CPUID says, without what it does not need */

static bool acceptable(const struct elf_header *header)
{
	return memcmp(header->ident, "\177ELF\1\1", 6) == 0 && header->type == ET_EXEC && header->machine == EM_386 &&
	       header->phentsize == sizeof(struct elf_program_header) && header->phnum && header->phnum <= MAX_PROGRAM_HEADERS &&
	       header->phoff <= PAGE_SIZE - header->phnum * sizeof(struct elf_program_header);
}

static u32 protection_of(const struct elf_program_header *segment)
{
	return (segment->flags & PF_R ? PROT_READ : 0) | (segment->flags & PF_W ? PROT_WRITE : 0) |
	       (segment->flags & PF_X ? PROT_EXEC : 0);
}

/* The part from the file, the rest of its last page as zeroes, and the part that is all zeroes. */
static s32 map_segment(struct memory *memory, struct node *node, const struct elf_program_header *segment)
{
	u32 start = segment->vaddr & ENTRY_ADDRESS, skew = segment->vaddr - start, file_end = segment->vaddr + segment->filesz;
	u32 file_pages = ROUND_UP(file_end), end = ROUND_UP(segment->vaddr + segment->memsz);

	if (!user_range(segment->vaddr, segment->memsz) || segment->filesz > segment->memsz || segment->offset < skew ||
	    start < MMAP_BOTTOM)
		return -ENOEXEC;
	if (segment->filesz)
		memory_map(memory, start, file_pages - start, protection_of(segment), false, node, segment->offset - skew);
	else
		file_pages = start;
	if (end > file_pages)
		memory_map(memory, file_pages, end - file_pages, protection_of(segment), false, NULL, 0);
	if (end > memory->brk)
		memory->brk_start = memory->brk = end;
	return 0;
}

/* The page in which the file's part ends belongs to two: what the file has behind that part must not be seen. */
static s32 clear_tail(struct memory *memory, const struct elf_program_header *segment)
{
	u32 end = segment->vaddr + segment->filesz, bytes = ROUND_UP(end) - end;
	u32 page = end & ENTRY_ADDRESS;

	if (!segment->filesz || segment->memsz == segment->filesz || !bytes || !(segment->flags & PF_W))
		return 0;
	if (memory_fault(memory, page, true) != 0)
		return -ENOMEM;
	memset((u8 *)virt(read_pte(&memory->space, page) & ENTRY_ADDRESS) + (end - page), 0, bytes);
	return 0;
}

/* start: the file's first page.  *headers_at: where the program finds its own headers. */
s32 elf_load(struct memory *memory, struct node *node, const u8 *start, struct elf_header *header, u32 *headers_at)
{
	const struct elf_program_header *segments;
	u32 index;
	s32 error = 0;

	memcpy(header, start, sizeof(*header));
	if (!acceptable(header))
		return -ENOEXEC;
	segments = (const struct elf_program_header *)(start + header->phoff);
	*headers_at = 0;
	for (index = 0; index < header->phnum && error >= 0; index++) {
		const struct elf_program_header *segment = &segments[index];

		if (segment->type == PT_INTERP)
			return -ENOEXEC;         /* we have no dynamic linker */
		if (segment->type != PT_LOAD)
			continue;
		error = map_segment(memory, node, segment);
		if (error >= 0)
			error = clear_tail(memory, segment);
		if (header->phoff - segment->offset < segment->filesz)
			*headers_at = segment->vaddr + (header->phoff - segment->offset);
	}
	if (error < 0)
		return error;
	memory->stack_start = STACK_TOP - STACK_BYTES;
	return memory_map(memory, memory->stack_start, STACK_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, false, NULL, 0);
}

/* ---- the stack: counts, pointers, the auxiliary vector, and above them the strings ---- */

static u32 copy_strings(u32 to, const struct strings *strings)
{
	u32 at, part;

	for (at = 0; at < strings->bytes; at += part) {
		part = strings->bytes - at < PAGE_SIZE ? strings->bytes - at : PAGE_SIZE;
		if (copy_out(to + at, strings->pages[at / PAGE_SIZE], part) < 0)
			return 0;
	}
	return to;
}

/* A pointer to each of the strings, and a 0. */
static u32 copy_pointers(u32 to, u32 strings_at, const struct strings *strings)
{
	u32 at, beginning = strings_at;

	for (at = 0; at < strings->bytes; at++) {
		if (strings->pages[at / PAGE_SIZE][at % PAGE_SIZE])
			continue;
		copy_out(to, &beginning, 4);
		to += 4;
		beginning = strings_at + at + 1;
	}
	copy_out(to, &(u32){0}, 4);
	return to + 4;
}

/* Returns the first stack pointer, 0 if the strings are too many.  The memory is the current one. */
u32 stack_build(struct memory *memory, struct strings *arguments, struct strings *environment, const char *path,
		const struct elf_header *header, u32 headers_at)
{
	u32 at = STACK_TOP - 16, path_at, environment_at, arguments_at, random_at, platform_at, stack, list;
	u8 random[16];

	if (arguments->bytes + environment->bytes > STRING_PAGES * PAGE_SIZE)
		return 0;
	path_at = at -= strlen(path) + 1;
	environment_at = at -= environment->bytes;
	arguments_at = at -= arguments->bytes;
	platform_at = at -= 5;
	random_at = at -= sizeof(random);
	random_bytes(random, sizeof(random));
	if (copy_out(path_at, path, strlen(path) + 1) < 0 || !copy_strings(environment_at, environment) ||
	    !copy_strings(arguments_at, arguments) || copy_out(platform_at, "i686", 5) < 0 ||
	    copy_out(random_at, random, sizeof(random)) < 0)
		return 0;
	memory->arguments = arguments_at;
	memory->arguments_end = arguments_at + arguments->bytes;
	{
		u32 vector[] = {
			AT_HWCAP, HWCAP_I686, AT_PAGESZ, PAGE_SIZE, AT_CLKTCK, 100, AT_PHDR, headers_at,
			AT_PHENT, sizeof(struct elf_program_header), AT_PHNUM, header->phnum, AT_BASE, 0, AT_FLAGS, 0,
			AT_ENTRY, header->entry, AT_UID, 0, AT_EUID, 0, AT_GID, 0, AT_EGID, 0, AT_SECURE, 0,
			AT_RANDOM, random_at, AT_EXECFN, path_at, AT_PLATFORM, platform_at, AT_NULL, 0,
		};

		stack = at - sizeof(vector) - (arguments->count + environment->count + 3) * 4;
		stack &= ~15u;
		if (copy_out(stack, &arguments->count, 4) < 0)
			return 0;
		list = copy_pointers(stack + 4, arguments_at, arguments);
		list = copy_pointers(list, environment_at, environment);
		if (copy_out(list, vector, sizeof(vector)) < 0)
			return 0;
	}
	return stack;
}
