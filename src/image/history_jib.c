/* Jib: the author "Jib", created_by "jib-maven-plugin:3.4.0" and the like, and what the layer holds
 * (dependencies, resources, classes) in the comment. No Dockerfile instructions. */
#include "history.h"

static bool recognises(const struct image_config *config, const struct history_entry *entry)
{
    (void)config;
    return text_equal(entry->author, "Jib") || text_starts_with(entry->created_by, "jib-");
}

static void read(const struct history_entry *entry, struct step *ret)
{
    ret->text = memory_copy_text(entry->comment[0] ? entry->comment : entry->created_by);
}

const struct convention convention_jib = {
    .name = "jib",
    .builder = BUILDER_JIB,
    .recognises = recognises,
    .read = read,
    .marks_border = true,
};
