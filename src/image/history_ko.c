/* ko: the author "ko", created_by "ko build ko://…" ("ko publish …" before 2022), and what the
 * layer holds in the comment. */
#include "history.h"

static bool recognises(const struct image_config *config, const struct history_entry *entry)
{
    (void)config;
    return text_equal(entry->author, "ko") || text_starts_with(entry->created_by, "ko build ") ||
           text_starts_with(entry->created_by, "ko publish ");
}

static void read(const struct history_entry *entry, struct step *ret)
{
    ret->text = memory_copy_text(entry->comment[0] ? entry->comment : entry->created_by);
}

const struct convention convention_ko = {
    .name = "ko",
    .builder = BUILDER_KO,
    .recognises = recognises,
    .read = read,
    .marks_border = true,
};
