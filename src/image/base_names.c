/* Names of bases: Docker's short forms, and when two of them mean the same. */
#include <stdio.h>
#include <string.h>

#include "regwarden/bases.h"
#include "regwarden/text.h"

/* Docker Hub goes by several hosts. */
static const char *const hub_hosts[] = {"index.docker.io/", "registry-1.docker.io/",
                                        "registry.hub.docker.com/"};

static bool names_registry(const char *name)
{
    size_t first = strcspn(name, "/");
    return name[first] == '/' && (memchr(name, '.', first) || memchr(name, ':', first) ||
                                  (first == 9 && memcmp(name, "localhost", 9) == 0));
}

static bool is_plain(const char *name)
{
    for (; *name; name++)
        if (*name <= ' ' || *name > '~')
            return false;
    return true;
}

/* The colon of the tag, or NULL. */
static const char *tag_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return strchr(slash ? slash : name, ':');
}

static char *with_registry(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(hub_hosts); i++)
        if (text_starts_with(name, hub_hosts[i]))
            return text_new("docker.io/%s", name + strlen(hub_hosts[i]));
    if (names_registry(name))
        return memory_copy_text(name);
    return text_new("docker.io/%s%s", strchr(name, '/') ? "" : "library/", name);
}

char *base_name_full(const char *name)
{
    if (!name || !*name || strlen(name) > BASE_NAME_MAX || !is_plain(name) ||
        text_equal(name, "scratch"))
        return NULL;
    const char *at = strchr(name, '@');
    AUTO_FREE char *bare =
        at ? memory_copy_bytes(name, (size_t)(at - name)) : memory_copy_text(name);
    AUTO_FREE char *full = *bare ? with_registry(bare) : NULL;
    if (!full)
        return NULL;
    return text_new("%s%s", full, at || tag_of(full) ? "" : ":latest");
}

bool base_name_matches(const char *a, const char *b)
{
    const char *tag_a = tag_of(a);
    const char *tag_b = tag_of(b);
    size_t size_a = tag_a ? (size_t)(tag_a - a) : strlen(a);
    size_t size_b = tag_b ? (size_t)(tag_b - b) : strlen(b);
    if (size_a != size_b || memcmp(a, b, size_a) != 0)
        return false;
    return !tag_a || !tag_b || text_equal(tag_a, tag_b);
}
