/* One layer from its bytes to its facts: decompression feeds the tar walk, whose entries are asked
 * by name and, some of them, by content. */
#include "regwarden/scan.h"

#include <assert.h>
#include <string.h>

#include "content.h"
#include "decompress.h"
#include "findings.h"
#include "patterns.h"
#include "probes.h"
#include "readers.h"
#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/tar.h"
#include "signals.h"

const struct scan_limits scan_limits_default = {
    .max_output_bytes = 32ULL << 30,
    .max_ratio = 1200, /* zeros come close to this in gzip */
    .ratio_from_bytes = 256ULL << 20,
    .max_entries = 2000000,
    .max_ms = 15 * 60 * 1000,
    .zstd_window_log = 23,
};

struct scan {
    struct scan_options options;
    int64_t started_ms;
    struct decompress *decompress;
    struct tar *tar;
    struct signals *signals;
    struct findings *findings;
    struct content *content;
    struct probes *probes;
    bool probed;           /* the current entry is one that probes see */
    struct reader *reader; /* of the current file; NULL when it is not one that is read */
};

/* --- entries --- */

/* What bears the name of a row and is not what the row means: a lock that stays when a cache is
 * emptied; a tool that is busybox by another name; the one header that Python reads at run time. */
static bool is_harmless(const struct signal_row *row, const struct tar_entry *entry)
{
    const char *slash = strrchr(entry->path, '/');

    if (row->kind == SIGNAL_PACKAGE_CACHE)
        return entry->stored == 0;
    if (row->kind == SIGNAL_HEADERS)
        return slash && text_starts_with(slash, "/pyconfig");
    return row->kind != SIGNAL_SHELL && entry->kind == TAR_SYMLINK &&
           text_ends_with(entry->link, "/busybox");
}

static void add_signals(struct scan *scan, const struct tar_entry *entry)
{
    struct signal_match matches[SIGNAL_MATCHES_MAX];
    size_t count = signals_match(scan->signals, entry->path, matches);

    for (size_t i = 0; i < count; i++) {
        const struct signal_row *row = matches[i].row;
        if (is_harmless(row, entry))
            continue;
        findings_add_hit(scan->findings, &(struct found_hit){
                                             .kind = row->kind,
                                             .runtime = row->runtime,
                                             .what = row->what,
                                             .path = entry->path,
                                             .path_size = matches[i].root_size,
                                             .bytes = entry->stored,
                                         });
    }
}

static void add_mode(struct scan *scan, const struct tar_entry *entry, enum signal_kind kind)
{
    AUTO_FREE char *detail =
        text_new("%04o %lld:%lld", entry->mode, (long long)entry->uid, (long long)entry->gid);

    findings_add_hit(scan->findings, &(struct found_hit){
                                         .kind = kind,
                                         .what = signal_kind_name(kind),
                                         .path = entry->path,
                                         .path_size = entry->path_size,
                                         .bytes = entry->stored,
                                         .detail = detail,
                                     });
}

/* Another name of a file of this layer, which may outlive the first one. */
static void add_modes_of_target(struct scan *scan, const struct tar_entry *entry)
{
    static const enum signal_kind kinds[] = {SIGNAL_SETUID, SIGNAL_SETGID, SIGNAL_CAPABILITY};

    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        const char *what = signal_kind_name(kinds[i]);
        const struct layer_hit *target =
            findings_find_hit(scan->findings, kinds[i], what, entry->link);
        if (target)
            findings_add_hit(scan->findings, &(struct found_hit){
                                                 .kind = kinds[i],
                                                 .what = what,
                                                 .path = entry->path,
                                                 .path_size = entry->path_size,
                                                 .detail = target->detail,
                                             });
    }
}

static void add_modes(struct scan *scan, const struct tar_entry *entry)
{
    if (entry->kind == TAR_HARD_LINK)
        add_modes_of_target(scan, entry);
    if (entry->kind != TAR_FILE)
        return;
    if (entry->mode & 04000)
        add_mode(scan, entry, SIGNAL_SETUID);
    if (entry->mode & 02000)
        add_mode(scan, entry, SIGNAL_SETGID);
    if (entry->capability)
        add_mode(scan, entry, SIGNAL_CAPABILITY);
}

static enum layer_path_kind path_kind(const struct tar_entry *entry)
{
    switch (entry->kind) {
    case TAR_FILE:
        return LAYER_PATH_FILE;
    case TAR_HARD_LINK:
        return LAYER_PATH_HARD_LINK;
    case TAR_SYMLINK:
        return LAYER_PATH_SYMLINK;
    case TAR_DIRECTORY:
        return LAYER_PATH_DIRECTORY;
    case TAR_DEVICE:
    case TAR_FIFO:
    case TAR_OTHER:
        break;
    }
    return LAYER_PATH_SPECIAL;
}

/* Names that no runtime makes a file of as they are written. */
static bool is_odd(const struct tar_entry *entry)
{
    return entry->escapes || entry->overlong || entry->kind == TAR_OTHER ||
           entry->whiteout == TAR_INVALID_WHITEOUT ||
           (entry->path_size == 0 && entry->kind != TAR_DIRECTORY && entry->whiteout != TAR_OPAQUE);
}

/* A file in a storage driver's bookkeeping, or a mark for lower layers: a name, and nothing that a
 * container sees. */
static bool add_mark(struct scan *scan, const struct tar_entry *entry)
{
    switch (entry->whiteout) {
    case TAR_PLAIN:
        return false;
    case TAR_WHITEOUT:
        findings_add_path(scan->findings, LAYER_PATH_WHITEOUT, entry->path, 0, "");
        return true;
    case TAR_OPAQUE:
        findings_add_path(scan->findings, LAYER_PATH_OPAQUE, entry->path, 0, "");
        return true;
    case TAR_META:
    case TAR_INVALID_WHITEOUT:
        break;
    }
    return true;
}

/* The table of contents of lazily pulled images: no part of the image, but for runtimes that do not
 * know it. A program is none. */
static bool is_index(const struct tar_entry *entry)
{
    static const char *const names[] = {"stargz.index.json", ".prefetch.landmark",
                                        ".no.prefetch.landmark"};

    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (strcmp(entry->path, names[i]) == 0)
            return entry->kind == TAR_FILE && !(entry->mode & 06000) && !entry->capability;
    return false;
}

static void add_entry(struct scan *scan, const struct tar_entry *entry)
{
    if (entry->path_size == 0 || entry->overlong || is_index(entry))
        return;
    findings_add_path(scan->findings, path_kind(entry), entry->path, entry->stored, entry->link);
    if (entry->kind != TAR_DIRECTORY)
        add_signals(scan, entry);
    add_modes(scan, entry);
    probes_begin(scan->probes, entry, path_kind(entry));
    scan->probed = true;
    if (entry->kind == TAR_FILE)
        scan->reader = reader_new(scan->findings, entry);
    else
        reader_note_other(scan->findings, entry);
}

static int begin_entry(void *argument, const struct tar_entry *entry, struct error *err)
{
    struct scan *scan = argument;
    struct layer_facts *facts = findings_facts(scan->findings);

    if (clock_steady_ms() - scan->started_ms > scan->options.limits.max_ms)
        return error_set(err, FAILURE_LIMIT, "the scan takes too long");
    facts->odd_entries += is_odd(entry);
    if (entry->kind == TAR_FILE) {
        facts->file_count++;
        facts->file_bytes += entry->stored;
    }
    content_begin(scan->content, entry); /* content is served, whatever the name says */
    if (!add_mark(scan, entry))
        add_entry(scan, entry);
    return 0;
}

static int push_data(void *argument, const uint8_t *bytes, size_t size, struct error *err)
{
    struct scan *scan = argument;

    (void)err;
    if (scan->reader)
        reader_push(scan->reader, bytes, size);
    if (scan->probed)
        probes_push(scan->probes, bytes, size);
    content_push(scan->content, bytes, size);
    return 0;
}

static int end_entry(void *argument, struct error *err)
{
    struct scan *scan = argument;

    (void)err;
    if (scan->reader)
        reader_finish(scan->reader);
    reader_free(TAKE(scan->reader));
    if (scan->probed)
        probes_end(scan->probes);
    scan->probed = false;
    content_end(scan->content);
    return 0;
}

/* --- the stream --- */

static int unpacked(void *argument, const uint8_t *bytes, size_t size, struct error *err)
{
    struct scan *scan = argument;

    if (clock_steady_ms() - scan->started_ms > scan->options.limits.max_ms)
        return error_set(err, FAILURE_LIMIT, "the scan takes too long");
    return tar_push(scan->tar, bytes, size, err);
}

int scan_prepare(struct error *err)
{
    return patterns_prepare(err);
}

struct scan *scan_new(const struct scan_options *options)
{
    struct scan *scan = memory_new(sizeof(*scan));
    const struct scan_limits *limits = &options->limits;

    int failure = scan_prepare(NULL);

    assert(failure == 0);
    scan->options = *options;
    scan->started_ms = clock_steady_ms();
    scan->signals = signals_new();
    scan->findings = findings_new();
    scan->probes = probes_new(scan->findings, options->probes);
    scan->content = content_new(scan->findings, options->has_salt ? options->salt : NULL);
    scan->tar = tar_new(&(struct tar_limits){.max_entries = limits->max_entries,
                                             .max_path_bytes = LAYER_PATH_BYTES_MAX,
                                             .max_meta_bytes = 1 << 20},
                        &(struct tar_events){begin_entry, push_data, end_entry, scan});
    scan->decompress = decompress_new(&(struct decompress_options){
        .limits = {.max_output_bytes = limits->max_output_bytes,
                   .max_ratio = limits->max_ratio,
                   .ratio_from_bytes = limits->ratio_from_bytes,
                   .zstd_window_log = limits->zstd_window_log},
        .input = options->digest,
        .hash_output = options->diff_id,
        .sink = unpacked,
        .argument = scan,
    });
    return scan;
}

int scan_push(struct scan *scan, const void *bytes, size_t size, struct error *err)
{
    return decompress_push(scan->decompress, bytes, size, err);
}

int scan_finish(struct scan *scan, struct layer_facts **ret, struct error *err)
{
    struct decompress_result result;
    struct tar_end end = {0};
    int failure = decompress_finish(scan->decompress, &result, err);

    if (failure < 0)
        return failure;
    failure = tar_finish(scan->tar, &end, err);
    if (failure < 0)
        return failure;
    /* what only reading needed makes room for the table of paths */
    decompress_free(TAKE(scan->decompress));
    tar_free(TAKE(scan->tar));
    content_free(TAKE(scan->content));
    struct layer_facts *facts = findings_take(scan->findings);
    facts->digest = result.input_digest;
    facts->diff_id = result.output_digest;
    facts->compression = memory_copy_text(compression_name(result.compression));
    facts->compressed_bytes = result.input_bytes;
    facts->uncompressed_bytes = result.output_bytes;
    facts->entry_count = end.entry_count;
    facts->after_end_bytes = end.after_end_bytes;
    *ret = facts;
    return 0;
}

void scan_free(struct scan *scan)
{
    if (!scan)
        return;
    reader_free(scan->reader);
    decompress_free(scan->decompress);
    tar_free(scan->tar);
    content_free(scan->content);
    probes_free(scan->probes);
    findings_free(scan->findings);
    signals_free(scan->signals);
    crypto_erase(scan->options.salt, sizeof(scan->options.salt));
    free(scan);
}

void scan_auto_free(struct scan **scan)
{
    scan_free(*scan);
}
