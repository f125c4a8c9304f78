/* Lists of probes: sorted by id, each once. Not for asking layers (room scan). */
#include "regwarden/probes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/crypto.h"

enum { ID_BYTES = 8 };

char *scan_probe_id(const char *path, const char *content)
{
    uint8_t sum[HASH_SIZE_MAX];
    struct hash *hash = hash_new(HASH_SHA256);
    char *id = memory_new(2 * ID_BYTES + 1);

    /* With the NUL between them, so that no two pairs look alike. */
    hash_update(hash, path, strlen(path) + 1);
    if (content)
        hash_update(hash, content, strlen(content) + 1);
    hash_finish(hash, sum);
    hash_free(hash);
    crypto_hex(sum, ID_BYTES, id);
    return id;
}

void scan_probes_add(struct scan_probes *probes, const char *path, const char *content)
{
    AUTO_FREE char *id = scan_probe_id(path, content);
    size_t at = probes->count;

    while (at > 0 && strcmp(probes->items[at - 1].id, id) > 0)
        at--;
    if (at > 0 && strcmp(probes->items[at - 1].id, id) == 0)
        return;
    probes->items =
        memory_grow(probes->items, probes->count, &probes->capacity, sizeof(*probes->items));
    memmove(&probes->items[at + 1], &probes->items[at],
            (probes->count - at) * sizeof(*probes->items));
    probes->items[at] = (struct scan_probe){
        .id = TAKE(id), .path = memory_copy_text(path), .content = memory_copy_text(content)};
    probes->count++;
}

void scan_probes_release(struct scan_probes *probes)
{
    for (size_t i = 0; i < probes->count; i++) {
        free(probes->items[i].id);
        free(probes->items[i].path);
        free(probes->items[i].content);
    }
    free(probes->items);
    *probes = (struct scan_probes){0};
}
