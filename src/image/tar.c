/* The walk over a tar stream: blocks, what stands in front of an entry, its data, the end. How
 * single headers, records and maps read is in tar_header.c, tar_pax.c and tar_sparse.c. */
#include "regwarden/tar.h"

#include <assert.h>
#include <string.h>

#include "tar_header.h"
#include "tar_path.h"
#include "tar_pax.h"

enum state {
    STATE_HEADER,
    STATE_LONG,     /* data of a header that is about the next one */
    STATE_GNU_MAP,  /* extension blocks of an old GNU sparse header */
    STATE_DATA_MAP, /* the sparse map at the head of the data */
    STATE_DATA,
    STATE_PADDING,
    STATE_END,
};

struct tar {
    struct tar_limits limits;
    struct tar_events events;
    enum state state;
    uint8_t block[TAR_BLOCK]; /* gathered when a block comes in pieces */
    size_t block_size;
    uint64_t offset; /* in the stream */
    uint64_t left;   /* bytes of the long text, the data or the padding */
    size_t padding;  /* behind what is being read */
    bool zero_block; /* the block before was zero */
    bool in_entry, ended;
    /* What is said about the next entry. */
    char long_type;
    bool long_global;
    struct text long_text;
    bool has_long_name, has_long_link;
    struct text long_name, long_link;
    struct tar_pax pax;
    struct tar_map_reader map_reader;
    struct tar_header header;
    struct text path, link;
    struct tar_end end;
};

struct tar *tar_new(const struct tar_limits *limits, const struct tar_events *events)
{
    struct tar *tar = memory_new(sizeof(*tar));

    tar->limits = *limits;
    tar->events = *events;
    tar_pax_clear(&tar->pax);
    return tar;
}

static size_t padding_of(uint64_t size)
{
    return (size_t)(-size % TAR_BLOCK);
}

static void enter_padding(struct tar *tar)
{
    tar->state = tar->padding > 0 ? STATE_PADDING : STATE_HEADER;
    tar->left = tar->padding;
    tar->padding = 0;
}

/* Forgets what was said about the entry that is over. */
static void forget(struct tar *tar)
{
    tar->has_long_name = tar->has_long_link = false;
    text_clear(&tar->long_name);
    text_clear(&tar->long_link);
    tar_pax_clear(&tar->pax);
    tar->map_reader = (struct tar_map_reader){0};
}

static int end_entry(struct tar *tar, struct error *err)
{
    int failure = tar->events.end(tar->events.argument, err);

    tar->in_entry = false;
    forget(tar);
    enter_padding(tar);
    return failure;
}

/* --- what stands in front of an entry --- */

/* Said twice, readers disagree about which one counts. */
static bool said_before(const struct tar *tar, char type)
{
    switch (type) {
    case 'L':
        return tar->has_long_name;
    case 'K':
        return tar->has_long_link;
    case 'x':
        return tar->pax.given;
    case 'g': /* hides what was said from some */
        return tar->has_long_name || tar->has_long_link || tar->pax.given;
    }
    return false;
}

static int begin_long(struct tar *tar, struct error *err)
{
    const struct tar_header *header = &tar->header;

    if (header->size > tar->limits.max_meta_bytes)
        return error_set(err, FAILURE_LIMIT, "a name or PAX records of %llu bytes",
                         (unsigned long long)header->size);
    if (said_before(tar, header->type))
        return error_set(err, FAILURE_INPUT,
                         "an entry's name is given twice, or apart from it: readers disagree");
    if (header->type == 'g' && !tar_path_is_global(header->name))
        return error_set(err, FAILURE_INPUT, "a file's name on a global header: readers disagree");
    tar->long_type = header->type;
    tar->left = header->size;
    tar->padding = padding_of(header->size);
    text_release(&tar->long_text);
    tar->state = STATE_LONG;
    return 0;
}

static void take_long(struct text *to, const struct text *from)
{
    text_clear(to);
    text_add(to, text_data(from)); /* up to its first NUL */
}

static int end_long(struct tar *tar, struct error *err)
{
    int failure = 0;

    enter_padding(tar);
    if (strchr("LK", tar->long_type) && text_data(&tar->long_text)[0] == '\0')
        return error_set(err, FAILURE_INPUT, "an empty long name: readers disagree about that");
    switch (tar->long_type) {
    case 'L':
        tar->has_long_name = true;
        take_long(&tar->long_name, &tar->long_text);
        break;
    case 'K':
        tar->has_long_link = true;
        take_long(&tar->long_link, &tar->long_text);
        break;
    case 'g': {
        struct tar_pax ignored = {.sparse.offset = -1};
        failure =
            tar_pax_read(text_data(&tar->long_text), tar->long_text.length, true, &ignored, err);
        tar_pax_release(&ignored);
        break;
    }
    default:
        failure =
            tar_pax_read(text_data(&tar->long_text), tar->long_text.length, false, &tar->pax, err);
        break;
    }
    text_release(&tar->long_text);
    return failure;
}

/* --- an entry --- */

static bool has_data(enum tar_kind kind)
{
    return kind == TAR_FILE || kind == TAR_OTHER;
}

/* The name that counts, when all that give one agree. */
static int choose(const char *in_header, bool has_long, const struct text *longer,
                  const struct text *in_pax, const char **ret, struct error *err)
{
    *ret = in_header;
    if (in_pax->length > 0)
        *ret = text_data(in_pax);
    if (has_long && in_pax->length > 0 && strcmp(text_data(longer), *ret) != 0)
        return error_set(err, FAILURE_INPUT,
                         "an entry has two long names: readers disagree about which one counts");
    if (has_long)
        *ret = text_data(longer);
    return 0;
}

static int settle_names(struct tar *tar, struct tar_entry *entry, struct error *err)
{
    const char *name = NULL, *link = NULL;
    bool ignored;
    const struct text *pax_name =
        tar->pax.sparse_name.length > 0 ? &tar->pax.sparse_name : &tar->pax.path;
    int failure =
        choose(tar->header.name, tar->has_long_name, &tar->long_name, pax_name, &name, err);

    if (failure == 0)
        failure = choose(tar->header.link, tar->has_long_link, &tar->long_link, &tar->pax.link,
                         &link, err);
    if (failure < 0)
        return failure;
    assert(name && link);
    tar_path_clean(name, tar->limits.max_path_bytes, &tar->path, &entry->escapes, &entry->overlong);
    entry->whiteout = tar_path_whiteout(&tar->path);
    text_clear(&tar->link);
    if (entry->kind == TAR_HARD_LINK)
        tar_path_clean(link, tar->limits.max_path_bytes, &tar->link, &ignored, &ignored);
    else if (entry->kind == TAR_SYMLINK)
        text_add_bytes(&tar->link, link, strnlen(link, tar->limits.max_path_bytes));
    entry->path = text_data(&tar->path);
    entry->path_size = tar->path.length;
    entry->link = text_data(&tar->link);
    return 0;
}

/* The fragments of a sparse file must be what the archive holds of it. */
static int check_sparse(const struct tar *tar, struct error *err)
{
    if (tar->pax.sparse.stored != tar->left)
        return error_set(err, FAILURE_INPUT, "a sparse file's map does not fit its data");
    return 0;
}

/* All that comes before the data was read. */
static int begin_data(struct tar *tar, struct error *err)
{
    struct tar_entry entry = {
        .kind = tar_header_kind(&tar->header),
        .mode = tar->header.mode,
        .uid = tar->pax.has_uid ? (int64_t)tar->pax.uid : tar->header.uid,
        .gid = tar->pax.has_gid ? (int64_t)tar->pax.gid : tar->header.gid,
        .size = tar->left,
        .stored = tar->left,
        .capability = tar->pax.capability,
        .sparse = tar->pax.map != TAR_MAP_NONE || tar->header.type == 'S',
    };
    int failure = settle_names(tar, &entry, err);

    if (failure == 0 && entry.sparse)
        failure = check_sparse(tar, err);
    if (failure < 0)
        return failure;
    if (entry.sparse)
        entry.size = tar->pax.sparse.real_size;
    tar->in_entry = true;
    failure = tar->events.entry(tar->events.argument, &entry, err);
    if (failure < 0)
        return failure;
    tar->state = STATE_DATA;
    return tar->left == 0 ? end_entry(tar, err) : 0;
}

/* The map of an old GNU sparse header: four fragments in it, more in blocks behind it. */
static int begin_gnu_sparse(struct tar *tar, const uint8_t *block, struct error *err)
{
    enum { FRAGMENTS = 386, COUNT = 4, EXTENDED = 482, REAL_SIZE = 483 };
    int64_t real_size;

    if (tar->pax.map != TAR_MAP_NONE)
        return error_set(err, FAILURE_INPUT, "an entry has two sparse maps");
    if (tar_number(block + REAL_SIZE, 12, &real_size, err) < 0)
        return FAILURE_INPUT;
    if (real_size < 0)
        return error_set(err, FAILURE_INPUT, "a negative size");
    tar->pax.sparse = (struct tar_sparse){.real_size = (uint64_t)real_size, .offset = -1};
    int failure = tar_sparse_add_fields(&tar->pax.sparse, block + FRAGMENTS, COUNT, err);
    if (failure < 0)
        return failure;
    if (block[EXTENDED] == 0)
        return begin_data(tar, err);
    tar->state = STATE_GNU_MAP;
    return 0;
}

static int read_gnu_map(struct tar *tar, const uint8_t *block, struct error *err)
{
    enum { COUNT = 21, EXTENDED = 504 };
    int failure = tar_sparse_add_fields(&tar->pax.sparse, block, COUNT, err);

    if (failure < 0)
        return failure;
    return block[EXTENDED] == 0 ? begin_data(tar, err) : 0;
}

static int read_data_map(struct tar *tar, const uint8_t *block, struct error *err)
{
    if (tar->left < TAR_BLOCK)
        return error_set(err, FAILURE_INPUT, "a sparse map is cut off");
    tar->left -= TAR_BLOCK;
    int failure = tar_map_read(&tar->map_reader, block, &tar->pax.sparse, err);
    if (failure < 0)
        return failure;
    return tar_map_done(&tar->map_reader) ? begin_data(tar, err) : 0;
}

/* In the oldest format the name says that it is a directory, which has no data. */
static int check_oldest(const struct tar *tar, struct error *err)
{
    const char *name = tar->pax.path.length > 0 ? text_data(&tar->pax.path) : tar->header.name;

    name = tar->has_long_name ? text_data(&tar->long_name) : name;
    if (tar->header.type != '\0' ||
        text_ends_with(name, "/") == text_ends_with(tar->header.name, "/"))
        return 0;
    return error_set(err, FAILURE_INPUT, "a directory by one of two names: readers disagree");
}

static int begin_entry(struct tar *tar, const uint8_t *block, struct error *err)
{
    uint64_t size = tar->pax.has_size ? tar->pax.size : tar->header.size;

    if (++tar->end.entry_count > tar->limits.max_entries)
        return error_set(err, FAILURE_LIMIT, "more than %llu entries",
                         (unsigned long long)tar->limits.max_entries);
    if (check_oldest(tar, err) < 0)
        return FAILURE_INPUT;
    /* links and directories have no data, whatever their size says: this is how runtimes read */
    tar->left = has_data(tar_header_kind(&tar->header)) ? size : 0;
    tar->padding = padding_of(tar->left);
    if (tar->header.type == 'S' && tar->header.gnu)
        return begin_gnu_sparse(tar, block, err);
    if (tar->header.type == 'S')
        return error_set(err, FAILURE_INPUT, "a sparse entry that is not in GNU format");
    if (tar->pax.map != TAR_MAP_NONE && tar_header_kind(&tar->header) != TAR_FILE)
        return error_set(err, FAILURE_INPUT, "a sparse map for what is no file");
    if (tar->pax.map == TAR_MAP_IN_DATA) {
        tar->state = STATE_DATA_MAP;
        return 0;
    }
    return begin_data(tar, err);
}

static int read_header(struct tar *tar, const uint8_t *block, struct error *err)
{
    int failure;

    if (tar_block_is_zero(block)) {
        if (tar->zero_block)
            tar->state = STATE_END;
        tar->zero_block = true;
        return 0;
    }
    if (tar->zero_block)
        return error_set(err, FAILURE_INPUT,
                         "something follows a single zero block: readers disagree about that");
    failure = tar_header_read(block, &tar->header, err);
    if (failure < 0)
        return failure;
    if (tar->header.type == 'X')
        return error_set(err, FAILURE_INPUT,
                         "an old kind of PAX header: readers disagree about it");
    if (tar->header.type && strchr("LKxg", tar->header.type))
        return begin_long(tar, err);
    return begin_entry(tar, block, err);
}

/* --- the stream --- */

static int read_block(struct tar *tar, const uint8_t *block, struct error *err)
{
    if (tar->state == STATE_GNU_MAP)
        return read_gnu_map(tar, block, err);
    if (tar->state == STATE_DATA_MAP)
        return read_data_map(tar, block, err);
    return read_header(tar, block, err);
}

static int push_block(struct tar *tar, const uint8_t *bytes, size_t size, size_t *ret_used,
                      struct error *err)
{
    size_t room = TAR_BLOCK - tar->block_size;

    *ret_used = size < room ? size : room;
    if (*ret_used == TAR_BLOCK)
        return read_block(tar, bytes, err);
    memcpy(tar->block + tar->block_size, bytes, *ret_used);
    tar->block_size += *ret_used;
    if (tar->block_size < TAR_BLOCK)
        return 0;
    tar->block_size = 0;
    return read_block(tar, tar->block, err);
}

/* These bytes were seen, or are not wanted. */
static int pass_bytes(struct tar *tar, uint64_t size, struct error *err)
{
    tar->left -= size;
    if (tar->left > 0)
        return 0;
    if (tar->state == STATE_LONG)
        return end_long(tar, err);
    if (tar->state == STATE_DATA)
        return end_entry(tar, err);
    tar->state = STATE_HEADER;
    return 0;
}

static int push_bytes(struct tar *tar, const uint8_t *bytes, size_t size, size_t *ret_used,
                      struct error *err)
{
    int failure = 0;

    *ret_used = size < tar->left ? size : (size_t)tar->left;
    if (tar->state == STATE_LONG)
        text_add_bytes(&tar->long_text, bytes, *ret_used);
    if (tar->state == STATE_DATA)
        failure = tar->events.data(tar->events.argument, bytes, *ret_used, err);
    return failure < 0 ? failure : pass_bytes(tar, *ret_used, err);
}

static int push_some(struct tar *tar, const uint8_t *bytes, size_t size, size_t *ret_used,
                     struct error *err)
{
    switch (tar->state) {
    case STATE_HEADER:
    case STATE_GNU_MAP:
    case STATE_DATA_MAP:
        return push_block(tar, bytes, size, ret_used, err);
    case STATE_LONG:
    case STATE_DATA:
    case STATE_PADDING:
        return push_bytes(tar, bytes, size, ret_used, err);
    case STATE_END:
        break;
    }
    *ret_used = size;
    for (size_t i = 0; i < size; i++)
        tar->end.after_end_bytes += bytes[i] != 0;
    return 0;
}

int tar_push(struct tar *tar, const uint8_t *bytes, size_t size, struct error *err)
{
    assert(!tar->ended);
    while (size > 0) {
        size_t used;
        int failure;
        /* an empty long text is over before a byte of it comes */
        if (tar->state == STATE_LONG && tar->left == 0)
            failure = end_long(tar, err), used = 0;
        else
            failure = push_some(tar, bytes, size, &used, err);
        if (failure < 0) {
            tar->ended = true;
            return error_wrap(err, "tar, at byte %llu", (unsigned long long)tar->offset);
        }
        tar->offset += used;
        bytes += used;
        size -= used;
    }
    return 0;
}

uint64_t tar_unread(const struct tar *tar)
{
    return tar->state == STATE_DATA || tar->state == STATE_PADDING ? tar->left : 0;
}

int tar_skip(struct tar *tar, uint64_t size, struct error *err)
{
    assert(!tar->ended && size <= tar_unread(tar));
    if (size == 0)
        return 0;
    tar->offset += size;
    if (pass_bytes(tar, size, err) == 0)
        return 0;
    tar->ended = true;
    return error_wrap(err, "tar, at byte %llu", (unsigned long long)tar->offset);
}

int tar_finish(struct tar *tar, struct tar_end *ret, struct error *err)
{
    bool at_border = tar->state == STATE_HEADER && tar->block_size == 0;
    bool said = tar->has_long_name || tar->has_long_link || tar->pax.given;

    assert(!tar->ended);
    tar->ended = true;
    if (tar->state != STATE_END && (!at_border || said))
        return error_set(err, FAILURE_INPUT, "tar: the archive is cut off at byte %llu",
                         (unsigned long long)tar->offset);
    *ret = tar->end;
    return 0;
}

void tar_free(struct tar *tar)
{
    if (!tar)
        return;
    text_release(&tar->long_text);
    text_release(&tar->long_name);
    text_release(&tar->long_link);
    text_release(&tar->path);
    text_release(&tar->link);
    tar_pax_release(&tar->pax);
    free(tar);
}

void tar_auto_free(struct tar **tar)
{
    tar_free(*tar);
}
