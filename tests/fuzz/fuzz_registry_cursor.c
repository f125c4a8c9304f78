/* Cursors: text from the store, and addresses of next pages from a hostile registry. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "regwarden/memory.h"
#include "regwarden/text.h"

#include "cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is written can be read, leads to the same place, and gets ahead. */
static void go_to(const struct cursor *from, const char *target)
{
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *again = NULL;
    struct cursor next;

    if (cursor_to_target(from, target, 1000, &text, NULL) < 0)
        return;
    if (strlen(text) > CURSOR_MAX || cursor_read(text, &next, NULL) < 0)
        abort();
    if (!text_equal(next.target, target) || next.after || next.pages != from->pages + 1)
        abort();
    if (cursor_to_target(&next, target, 1000, &again, NULL) == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = memory_copy_bytes(data, size);
    AUTO_FREE char *target = text_new("/%s", text);
    struct cursor cursor;

    if (cursor_read(text, &cursor, NULL) == 0) {
        if (cursor.target && (cursor.target[0] != '/' || cursor.target[1] == '/'))
            abort();
        if (target[1] != '/')
            go_to(&cursor, target);
    }
    return 0;
}
