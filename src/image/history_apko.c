/* apko: created_by "apko" and nothing else, in older releases with the comment "This is an apko
 * single-layer image". The whole image is made in one piece. */
#include "history.h"

static bool recognises(const struct image_config *config, const struct history_entry *entry)
{
    (void)config;
    return text_equal(entry->created_by, "apko") ||
           text_starts_with(entry->comment, "This is an apko ");
}

static void read(const struct history_entry *entry, struct step *ret)
{
    ret->text = memory_copy_text(entry->comment[0] ? entry->comment : entry->created_by);
}

const struct convention convention_apko = {
    .name = "apko",
    .builder = BUILDER_APKO,
    .recognises = recognises,
    .read = read,
};
