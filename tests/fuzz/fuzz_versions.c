/* Any two texts as versions of any package manager: the order is the same from both sides. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "versions.h"

#include "regwarden/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

/* The first byte names the manager, a line break parts the versions. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int there = 0, back = 0;

    if (size == 0)
        return 0;
    enum package_manager manager = (enum package_manager)(data[0] % PACKAGE_MANAGER_COUNT);
    AUTO_FREE char *a = memory_copy_bytes(data + 1, size - 1);
    char *b = strchr(a, '\n');
    if (!b)
        return 0;
    *b++ = '\0';
    bool ordered = version_compare(manager, a, b, &there);
    if (ordered != version_compare(manager, b, a, &back) || (ordered && sign(there) != -sign(back)))
        abort();
    if (version_compare(manager, a, a, &there) && there != 0)
        abort();
    return 0;
}
