/* Go writes a block into each program: 14 bytes that are known, at a multiple of 16, and behind
 * them the version and the modules that it was made of. It is looked for while the file passes by.
 */
#include "elf_build.h"

#include <string.h>

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { ALIGN = 16, HEAD = 32, BLOCK_MAX = 256 * 1024 };

struct elf_build {
    bool is_static;
    bool found;
    uint8_t line[ALIGN]; /* of the file, when it comes in pieces */
    size_t line_size;
    struct text block; /* from the known bytes on */
    struct text version;
    struct text modules_text;
    const char *program; /* the package that was built */
    struct elf_module modules[ELF_MODULES_MAX];
    size_t module_count;
};

struct elf_build *elf_build_new(void)
{
    return memory_new(sizeof(struct elf_build));
}

void elf_build_free(struct elf_build *build)
{
    if (!build)
        return;
    text_release(&build->block);
    text_release(&build->version);
    text_release(&build->modules_text);
    free(build);
}

/* A number of 2, 4 or 8 bytes in the file's own order. */
static uint64_t number(const uint8_t *head, size_t offset, size_t size)
{
    bool big = head[5] == 2;
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | head[offset + (big ? i : size - 1 - i)];
    return value;
}

/* An executable whose program headers, which stand near the front, name no interpreter. */
static bool is_static(const uint8_t *head, size_t size)
{
    enum { EXECUTABLE = 2, SHARED = 3, LOAD = 1, INTERPRETER = 3 };
    bool wide = size >= 64 && head[4] == 2;

    if (size < 64 || (head[4] != 1 && head[4] != 2))
        return false;
    uint64_t type = number(head, 16, 2), entry = number(head, 24, wide ? 8 : 4);
    uint64_t table = wide ? number(head, 32, 8) : number(head, 28, 4);
    uint64_t item = number(head, wide ? 54 : 42, 2), count = number(head, wide ? 56 : 44, 2);
    bool loads = false;
    if ((type != EXECUTABLE && type != SHARED) || entry == 0 || item < 32 || table > size)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = table + i * item;
        if (at + 4 > size || number(head, at, 4) == INTERPRETER)
            return false;
        loads = loads || number(head, at, 4) == LOAD;
    }
    return loads;
}

void elf_build_begin(struct elf_build *build, const uint8_t *head, size_t size)
{
    build->is_static = is_static(head, size);
    build->found = false;
    build->line_size = build->module_count = 0;
    text_clear(&build->block);
    text_clear(&build->version);
    text_release(&build->modules_text);
    build->program = "";
}

static void take_block(struct elf_build *build, const uint8_t *bytes, size_t size)
{
    size_t room = BLOCK_MAX - build->block.length;

    text_add_bytes(&build->block, bytes, size < room ? size : room);
}

/* True when the block begins here. */
static bool is_mark(const uint8_t *line)
{
    static const char mark[] = "\xff Go buildinf:";

    return *line == 0xff && memcmp(line, mark, sizeof(mark) - 1) == 0;
}

static void find(struct elf_build *build, const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at + ALIGN <= size; at += ALIGN) {
        if (!is_mark(bytes + at))
            continue;
        build->found = true;
        take_block(build, bytes + at, size - at);
        return;
    }
    build->line_size = size % ALIGN;
    memcpy(build->line, bytes + size - build->line_size, build->line_size);
}

void elf_build_push(struct elf_build *build, const uint8_t *bytes, size_t size)
{
    if (!build->found && build->line_size > 0) {
        size_t room = ALIGN - build->line_size, taken = size < room ? size : room;
        memcpy(build->line + build->line_size, bytes, taken);
        build->line_size += taken;
        bytes += taken;
        size -= taken;
        if (build->line_size < ALIGN)
            return;
        build->line_size = 0;
        build->found = is_mark(build->line);
        if (build->found)
            take_block(build, build->line, ALIGN);
    }
    if (build->found)
        take_block(build, bytes, size);
    else
        find(build, bytes, size);
}

/* A length in groups of seven bits, then so many bytes. */
static bool take_text(const uint8_t **at, const uint8_t *end, struct text *ret)
{
    uint64_t size = 0;
    unsigned shift = 0;

    for (; *at < end && shift < 35; shift += 7) {
        uint8_t byte = *(*at)++;
        size |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        if (size > (uint64_t)(end - *at))
            size = (uint64_t)(end - *at); /* the block was cut at the bound */
        text_add_bytes(ret, *at, size);
        *at += size;
        return true;
    }
    return false;
}

/* "path\t<program>", "mod\t<path>\t<version>…", "dep\t…"; "=>" is what a dependency was replaced
 * by. */
static void take_modules(struct elf_build *build)
{
    char *rest = build->modules_text.data, *line;

    while ((line = strsep(&rest, "\n"))) {
        const char *kind = strsep(&line, "\t");
        const char *path = strsep(&line, "\t"), *version = strsep(&line, "\t");
        if (path && strcmp(kind, "path") == 0)
            build->program = path;
        bool replaced = strcmp(kind, "=>") == 0 && build->module_count > 0;
        if (!path || (!replaced && strcmp(kind, "mod") != 0 && strcmp(kind, "dep") != 0))
            continue;
        if (replaced)
            build->module_count--;
        if (build->module_count < ELF_MODULES_MAX)
            build->modules[build->module_count++] =
                (struct elf_module){path, version ? version : ""};
    }
}

static void take_apart(struct elf_build *build)
{
    enum { FLAGS = 15, INLINE = 2, SENTINEL = 16 };
    const uint8_t *at = (const uint8_t *)build->block.data + HEAD;
    const uint8_t *end = (const uint8_t *)build->block.data + build->block.length;
    struct text modules = {0};

    if (build->block.length < HEAD || !(build->block.data[FLAGS] & INLINE))
        return; /* before Go 1.18 there are addresses here, which are not followed */
    if (take_text(&at, end, &build->version) && take_text(&at, end, &modules) &&
        modules.length > SENTINEL)
        text_add(&build->modules_text, modules.data + SENTINEL);
    text_release(&modules);
    if (build->modules_text.data)
        take_modules(build);
}

void elf_build_end(struct elf_build *build, struct elf_report *ret)
{
    if (build->found)
        take_apart(build);
    *ret = (struct elf_report){
        .is_static = build->is_static,
        .is_go = build->found,
        .go_version = text_data(&build->version),
        .program = build->program,
        .modules = build->modules,
        .module_count = build->module_count,
    };
}
