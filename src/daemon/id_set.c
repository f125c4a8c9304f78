/* Ids as keys of a map. Not a container of its own: map.h does the work. */
#include "id_set.h"

#include "regwarden/map.h"
#include "regwarden/text.h"

static char *key_of(int64_t id)
{
    return text_new("%lld", (long long)id);
}

void id_set_add(struct map *set, int64_t id)
{
    AUTO_FREE char *key = key_of(id);

    if (id > 0)
        map_set(set, key, set);
}

bool id_set_has(const struct map *set, int64_t id)
{
    AUTO_FREE char *key = key_of(id);

    return map_get(set, key) != NULL;
}

void id_set_remove(struct map *set, int64_t id)
{
    AUTO_FREE char *key = key_of(id);

    map_remove(set, key);
}
