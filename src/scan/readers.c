/* Which files are read, and how their bytes become lines. What the lines mean is in
 * read_accounts.c, read_packages.c, read_app_packages.c and read_rpm.c. */
#include "readers.h"

#include <string.h>

#include "read_lines.h"

enum { LINE_MAX_BYTES = 4096, WHOLE_MAX_BYTES = 256 * 1024, LINES_MAX = 400000 };

struct reader {
    const struct reader_type *type;
    struct read_state state;
    struct text line; /* or the whole file */
    size_t line_count;
    bool skipping; /* the rest of a line that is too long */
    bool broken;   /* a bound was hit */
};

static const struct reader_type *const types[] = {
    &reader_passwd,   &reader_group, &reader_shadow, &reader_os_release, &reader_usr_os_release,
    &reader_dpkg,     &reader_apk,   &reader_pip,    &reader_npm,        &reader_gem,
    &reader_composer, &reader_nuget, &reader_java,   &reader_rpm,
};

static const struct reader_type *type_of(const char *path)
{
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        if (types[i]->recognises(path))
            return types[i];
    return NULL;
}

struct reader *reader_new(struct findings *findings, const struct tar_entry *entry)
{
    const struct reader_type *type = type_of(entry->path);
    struct reader *reader;

    if (!type)
        return NULL;
    reader = memory_new(sizeof(*reader));
    reader->type = type;
    reader->state =
        (struct read_state){.findings = findings, .path = memory_copy_text(entry->path)};
    reader->broken = entry->sparse; /* its holes are not given to us */
    type->begin(&reader->state);
    return reader;
}

static void end_line(struct reader *reader)
{
    if (++reader->line_count > LINES_MAX)
        reader->broken = true;
    if (reader->type->exact && strlen(text_data(&reader->line)) != reader->line.length)
        reader->broken = true;
    if (!reader->skipping && !reader->broken)
        reader->type->line(&reader->state, (char *)(uintptr_t)text_data(&reader->line));
    reader->skipping = false;
    text_clear(&reader->line);
}

/* A NUL in a line ends it for whoever reads it as text: so it does here, where the file need not be
 * exact. */
static void push_lines(struct reader *reader, const uint8_t *bytes, size_t size)
{
    while (size > 0 && !reader->broken) {
        const uint8_t *end = memchr(bytes, '\n', size);
        size_t part = end ? (size_t)(end - bytes) : size;
        if (reader->line.length + part > LINE_MAX_BYTES) {
            reader->skipping = true;
            reader->broken = reader->broken || reader->type->exact;
        } else {
            text_add_bytes(&reader->line, bytes, part);
        }
        if (end)
            end_line(reader);
        bytes += part + (end != NULL);
        size -= part + (end != NULL);
    }
}

void reader_push(struct reader *reader, const uint8_t *bytes, size_t size)
{
    if (reader->type->name_only)
        return;
    if (reader->type->push) {
        reader->type->push(&reader->state, bytes, size);
        return;
    }
    if (reader->type->line) {
        push_lines(reader, bytes, size);
        return;
    }
    if (reader->line.length + size > WHOLE_MAX_BYTES)
        reader->broken = true;
    if (!reader->broken)
        text_add_bytes(&reader->line, bytes, size);
}

void reader_finish(struct reader *reader)
{
    if (reader->type->line && reader->line.length > 0)
        end_line(reader);
    reader->type->end(&reader->state, &reader->line, reader->broken);
}

void reader_free(struct reader *reader)
{
    if (!reader)
        return;
    text_release(&reader->line);
    read_state_release(&reader->state);
    free(reader);
}

static void note_file(struct findings *findings, enum layer_file file,
                      const struct tar_entry *entry)
{
    if (entry->kind == TAR_HARD_LINK || entry->kind == TAR_SYMLINK)
        findings_set_file(findings, file, LAYER_FILE_LINK, entry->link);
    else
        findings_set_file(findings, file, LAYER_FILE_UNREAD, "it is no file");
}

void reader_note_other(struct findings *findings, const struct tar_entry *entry)
{
    for (unsigned i = 0; i < LAYER_FILE_COUNT; i++)
        if (strcmp(entry->path, layer_file_path((enum layer_file)i)) == 0)
            note_file(findings, (enum layer_file)i, entry);
}
