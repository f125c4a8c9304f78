/* Content of files, in pieces: the first bytes tell a text from a program and from all else, which
 * is left alone. */
#include "content.h"

#include <string.h>

#include "elf_build.h"
#include "regwarden/memory.h"
#include "secret_window.h"

/* A NUL in the first bytes makes a file binary. */
enum { HEAD_SIZE = 8192 };

enum content_class { CLASS_UNKNOWN, CLASS_TEXT, CLASS_WIDE_TEXT, CLASS_ELF, CLASS_OTHER };

struct content {
    struct findings *findings;
    enum content_class class;
    struct tar_entry entry; /* its texts are not ours: only `path` below is used */
    struct text path;
    uint8_t head[HEAD_SIZE];
    size_t head_size;
    bool high_first; /* of wide texts: the order of the two bytes … */
    bool has_odd;    /* … and the first byte of a character whose second is to come */
    uint8_t odd;
    struct secret_window *window;
    struct elf_build *elf;
};

struct content *content_new(struct findings *findings, const unsigned char *salt)
{
    struct content *content = memory_new(sizeof(*content));

    content->findings = findings;
    content->window = secret_window_new(findings, salt);
    content->elf = elf_build_new();
    return content;
}

void content_free(struct content *content)
{
    if (!content)
        return;
    secret_window_free(content->window);
    elf_build_free(content->elf);
    text_release(&content->path);
    free(content);
}

void content_begin(struct content *content, const struct tar_entry *entry)
{
    content->entry = *entry;
    content->entry.path = content->entry.link = NULL;
    text_clear(&content->path);
    text_add(&content->path, entry->path);
    content->class = CLASS_UNKNOWN;
    content->head_size = 0;
}

/* UTF-16 without what is not ASCII: no secret has it. */
static void push_wide(struct content *content, const uint8_t *bytes, size_t size)
{
    uint8_t narrow[512];
    size_t count = 0;

    for (size_t i = 0; i < size; i++) {
        content->has_odd = !content->has_odd;
        if (content->has_odd) {
            content->odd = bytes[i];
            continue;
        }
        uint8_t high = content->high_first ? content->odd : bytes[i];
        uint8_t low = content->high_first ? bytes[i] : content->odd;
        narrow[count++] = high == 0 ? low : 0xff;
        if (count == sizeof(narrow)) {
            secret_window_push(content->window, narrow, count);
            count = 0;
        }
    }
    secret_window_push(content->window, narrow, count);
}

static void push_on(struct content *content, const uint8_t *bytes, size_t size)
{
    if (content->class == CLASS_TEXT)
        secret_window_push(content->window, bytes, size);
    else if (content->class == CLASS_WIDE_TEXT)
        push_wide(content, bytes, size);
    else if (content->class == CLASS_ELF)
        elf_build_push(content->elf, bytes, size);
}

static enum content_class class_of(const uint8_t *head, size_t size)
{
    static const uint8_t elf[] = {0x7f, 'E', 'L', 'F'};

    if (size >= sizeof(elf) && memcmp(head, elf, sizeof(elf)) == 0)
        return CLASS_ELF;
    if (size >= 4 && ((head[0] == 0xff && head[1] == 0xfe && (head[2] || head[3])) ||
                      (head[0] == 0xfe && head[1] == 0xff)))
        return CLASS_WIDE_TEXT;
    return memchr(head, 0, size) ? CLASS_OTHER : CLASS_TEXT;
}

static void classify(struct content *content)
{
    content->class = class_of(content->head, content->head_size);
    content->high_first = content->head[0] == 0xfe;
    content->has_odd = false;
    if (content->class == CLASS_TEXT || content->class == CLASS_WIDE_TEXT)
        secret_window_begin(content->window, text_data(&content->path));
    if (content->class == CLASS_ELF)
        elf_build_begin(content->elf, content->head, content->head_size);
    push_on(content, content->head, content->head_size);
}

void content_push(struct content *content, const uint8_t *bytes, size_t size)
{
    if (content->class == CLASS_UNKNOWN) {
        size_t room = HEAD_SIZE - content->head_size, taken = size < room ? size : room;
        memcpy(content->head + content->head_size, bytes, taken);
        content->head_size += taken;
        bytes += taken;
        size -= taken;
        if (content->head_size == HEAD_SIZE)
            classify(content);
    }
    if (size > 0)
        push_on(content, bytes, size);
}

/* A library has no interpreter either. */
static bool is_program(const struct content *content)
{
    const char *path = text_data(&content->path);
    const char *slash = strrchr(path, '/');

    return (content->entry.mode & 0111) && !strstr(slash ? slash : path, ".so");
}

static void report_elf(struct content *content)
{
    struct elf_report report;
    struct found_hit hit = {.kind = SIGNAL_BINARY,
                            .path = text_data(&content->path),
                            .path_size = content->path.length,
                            .bytes = content->entry.size};

    elf_build_end(content->elf, &report);
    if (report.is_go) {
        AUTO_FREE char *detail =
            text_new("%s%s%s", report.go_version, *report.program ? " " : "", report.program);
        hit.what = "go-binary";
        hit.runtime = RUNTIME_GO;
        hit.detail = detail;
        findings_add_hit(content->findings, &hit);
        findings_drop_packages(content->findings, hit.path);
        for (const struct elf_module *module = report.modules;
             module < report.modules + report.module_count; module++)
            findings_add_package(content->findings, PACKAGE_GO, module->path, module->version,
                                 hit.path);
    } else if (report.is_static && is_program(content)) {
        hit.what = "static-binary";
        hit.runtime = RUNTIME_STATIC;
        findings_add_hit(content->findings, &hit);
    }
}

void content_end(struct content *content)
{
    if (content->class == CLASS_UNKNOWN)
        classify(content);
    if (content->class == CLASS_TEXT || content->class == CLASS_WIDE_TEXT)
        secret_window_end(content->window);
    else if (content->class == CLASS_ELF)
        report_elf(content);
}
