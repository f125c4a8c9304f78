/* The tar walk over hostile archives: whole and in pieces it sees the same, and paths are
 * canonical. */
#include <stdint.h>
#include <stdlib.h>

#include "regwarden/tar.h"
#include "regwarden/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH_MAX_BYTES = 300 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_path(const struct tar_entry *entry)
{
    const char *path = entry->path;

    must(entry->path_size == strlen(path) && entry->path_size <= PATH_MAX_BYTES);
    must(*path != '/' && !strstr(path, "//") && !strstr(path, "/../") && !strstr(path, "/./"));
    must(strncmp(path, "../", 3) != 0 && strcmp(path, "..") != 0 && strcmp(path, ".") != 0);
    must(!text_ends_with(path, "/") && !text_ends_with(path, "/.."));
}

static int note_entry(void *argument, const struct tar_entry *entry, struct error *err)
{
    (void)err;
    check_path(entry);
    text_format(argument, "%d %d %s %s %llu %llu %u %lld %lld %d\n", entry->kind, entry->whiteout,
                entry->path, entry->link, (unsigned long long)entry->size,
                (unsigned long long)entry->stored, entry->mode, (long long)entry->uid,
                (long long)entry->gid, entry->sparse | entry->escapes << 1 | entry->overlong << 2);
    return 0;
}

static int note_data(void *argument, const uint8_t *bytes, size_t size, struct error *err)
{
    (void)err;
    text_add_bytes(argument, bytes, size);
    return 0;
}

static int note_end(void *argument, struct error *err)
{
    (void)err;
    text_add(argument, "end\n");
    return 0;
}

static int walk(const uint8_t *data, size_t size, size_t piece, struct text *notes)
{
    struct tar_events events = {note_entry, note_data, note_end, notes};
    struct tar_limits limits = {100, PATH_MAX_BYTES, 4096};
    AUTO_TAR struct tar *tar = tar_new(&limits, &events);
    struct tar_end end;

    for (size_t at = 0; at < size; at += piece)
        if (tar_push(tar, data + at, size - at < piece ? size - at : piece, NULL) < 0)
            return -1;
    return tar_finish(tar, &end, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_TEXT struct text whole = {0}, cut = {0};
    int worked = walk(data, size, size + 1, &whole);

    must((walk(data, size, size > 0 ? data[0] % 64 + 1 : 1, &cut) == 0) == (worked == 0));
    must(whole.length == cut.length);
    must(whole.length == 0 || memcmp(whole.data, cut.data, whole.length) == 0);
    return 0;
}
