/* Lists the archive on standard input as our walk sees it, for compare_tar.py. One line per entry,
 * by tabs: kind, mode, uid, gid, size, digest of the stored data, path, link; the last two in hex.
 * Exit status 1 and a message when it is refused. */
#include <stdio.h>

#include "regwarden/crypto.h"
#include "regwarden/tar.h"

struct list {
    const struct tar_entry *entry;
    struct text line;
    struct hash *hash;
};

static void add_hex(struct text *to, const char *bytes)
{
    for (; *bytes; bytes++)
        text_format(to, "%02x", (unsigned char)*bytes);
}

static int begin(void *argument, const struct tar_entry *entry, struct error *err)
{
    static const char *const kinds[] = {"file",   "hard", "symlink", "directory",
                                        "device", "fifo", "other"};
    struct list *list = argument;

    (void)err;
    text_clear(&list->line);
    add_hex(&list->line, entry->path);
    text_add_char(&list->line, '\t');
    add_hex(&list->line, entry->link);
    list->hash = hash_new(HASH_SHA256);
    printf("%s\t%u\t%lld\t%lld\t%llu\t", kinds[entry->kind], entry->mode, (long long)entry->uid,
           (long long)entry->gid, (unsigned long long)entry->size);
    return 0;
}

static int data(void *argument, const uint8_t *bytes, size_t size, struct error *err)
{
    struct list *list = argument;

    (void)err;
    hash_update(list->hash, bytes, size);
    return 0;
}

static int end(void *argument, struct error *err)
{
    struct list *list = argument;
    uint8_t digest[HASH_SIZE_MAX];
    char hex[2 * HASH_SIZE_MAX + 1];

    (void)err;
    hash_finish(list->hash, digest);
    hash_free(TAKE(list->hash));
    crypto_hex(digest, 32, hex);
    printf("%s\t%s\n", hex, text_data(&list->line));
    return 0;
}

int main(void)
{
    static uint8_t bytes[10007];
    struct list list = {0};
    struct tar_events events = {begin, data, end, &list};
    struct tar_limits limits = {1 << 20, 1 << 20, 1 << 20};
    AUTO_TAR struct tar *tar = tar_new(&limits, &events);
    struct error err = {0};
    struct tar_end ret;
    int failure = 0;

    for (size_t size; failure == 0 && (size = fread(bytes, 1, sizeof(bytes), stdin)) > 0;)
        failure = tar_push(tar, bytes, size, &err);
    if (failure == 0)
        failure = tar_finish(tar, &ret, &err);
    hash_free(list.hash);
    text_release(&list.line);
    if (failure < 0)
        fprintf(stderr, "%s\n", err.text);
    return failure < 0;
}
