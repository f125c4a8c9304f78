/* How an ELF program was built: Go's build information, and whether it needs an interpreter.
 * Private to the room. */
#ifndef SCAN_ELF_BUILD_H
#define SCAN_ELF_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_module {
    const char *path;
    const char *version;
};
enum { ELF_MODULES_MAX = 1024 };

struct elf_report {
    bool is_static; /* a program without interpreter */
    bool is_go;
    /* "" when it is not told; borrowed until the next begin, as all texts here */
    const char *go_version;
    const char *program;              /* the package that was built */
    const struct elf_module *modules; /* the program's own first, then what it depends on */
    size_t module_count;
};

struct elf_build; /* opaque; used for one file after another */
struct elf_build *elf_build_new(void);
void elf_build_free(struct elf_build *build);

/* The first bytes tell about the interpreter; they are pushed too. */
void elf_build_begin(struct elf_build *build, const uint8_t *head, size_t size);
void elf_build_push(struct elf_build *build, const uint8_t *bytes, size_t size);
void elf_build_end(struct elf_build *build, struct elf_report *ret);

#endif
