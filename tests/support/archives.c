/* Tar archives for tests. */
#include "archives.h"

#include <string.h>

enum { BLOCK = 512 };

void archive_pad(struct text *to)
{
    static const char zeros[BLOCK];

    text_add_bytes(to, zeros, -to->length % BLOCK);
}

static void put(char *block, size_t at, const char *text, size_t max)
{
    memcpy(block + at, text ? text : "", strnlen(text ? text : "", max));
}

static void put_number(char *block, size_t at, unsigned long long number, int digits)
{
    char field[32];

    snprintf(field, sizeof(field), "%0*llo", digits, number);
    memcpy(block + at, field, (size_t)digits);
}

static void put_checksum(char *block, bool bad)
{
    unsigned sum = bad;
    char field[16];

    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)block[i];
    snprintf(field, sizeof(field), "%06o", sum);
    memcpy(block + 148, field, 7);
}

void archive_add(struct text *to, const struct archive_entry *entry)
{
    static const char *const magics[] = {
        [MAGIC_USTAR] = "ustar\00000", [MAGIC_GNU] = "ustar  ", [MAGIC_NONE] = "\0\0\0\0\0\0\0"};
    char block[BLOCK] = {0};
    size_t size = entry->data_size > 0 ? entry->data_size : entry->data ? strlen(entry->data) : 0;

    put(block, 0, entry->name, 100);
    put_number(block, 100, entry->mode, 7);
    put_number(block, 108, entry->uid, 7);
    put_number(block, 116, entry->gid, 7);
    put_number(block, 124, size, 11);
    put_number(block, 136, 0, 11);
    if (entry->size_field)
        memcpy(block + 124, entry->size_field, 12);
    block[156] = entry->type == 'v' ? '\0' : entry->type ? entry->type : '0';
    put(block, 157, entry->link, 100);
    memcpy(block + 257, magics[entry->magic], 8);
    put(block, 345, entry->prefix, 155);
    if (entry->raw_size > 0)
        memcpy(block + entry->raw_at, entry->raw, entry->raw_size);
    put_checksum(block, entry->bad_checksum);
    text_add_bytes(to, block, sizeof(block));
    if (size > 0)
        text_add_bytes(to, entry->data, size);
    archive_pad(to);
}

void archive_add_file(struct text *to, const char *name, const char *data)
{
    archive_add(to, &(struct archive_entry){.name = name, .data = data, .mode = 0644});
}

static void add_record(struct text *to, const char *record)
{
    size_t size = strlen(record) + 3, digits = 1;

    for (size_t rest = size; rest >= 10; rest /= 10)
        digits++;
    /* the length counts its own digits */
    if (size - 1 + digits >= 10 && digits == 1)
        digits = 2;
    else if (size - 1 + digits >= 100 && digits == 2)
        digits = 3;
    text_format(to, "%zu %s\n", size - 1 + digits, record);
}

void archive_add_pax(struct text *to, char type, const char *const *records)
{
    AUTO_TEXT struct text data = {0};

    for (; *records; records++)
        add_record(&data, *records);
    archive_add(to,
                &(struct archive_entry){.name = type == 'g' ? "pax_global_header" : "PaxHeaders/x",
                                        .type = type,
                                        .data = text_data(&data),
                                        .data_size = data.length});
}

void archive_add_end(struct text *to)
{
    static const char zeros[2 * BLOCK];

    text_add_bytes(to, zeros, sizeof(zeros));
}
