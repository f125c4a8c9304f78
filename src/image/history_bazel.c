/* Bazel: rules_docker signs with the author "Bazel" and created_by "bazel build ..."; rules_oci
 * (today's distroless) writes entries that hold nothing but the year 1. Other tools that append
 * layers leave such entries too, so they count only when the whole history is made of them. */
#include "history.h"

static bool is_blank(const struct history_entry *entry)
{
    return entry->created_by[0] == '\0' && entry->comment[0] == '\0' && entry->author[0] == '\0' &&
           !entry->empty_layer && history_time_is_zero(entry);
}

/* The last entry is looked at first: it decides in nearly every image. */
static bool all_blank(const struct image_config *config)
{
    for (size_t i = config->history_count; i > 0; i--)
        if (!is_blank(&config->history[i - 1]))
            return false;
    return true;
}

static bool recognises(const struct image_config *config, const struct history_entry *entry)
{
    if (text_equal(entry->author, "Bazel") || text_starts_with(entry->created_by, "bazel build"))
        return true;
    /* Only the last entry asks for the others, so that a long history is walked once. */
    return is_blank(entry) && entry == &config->history[config->history_count - 1] &&
           all_blank(config);
}

static void read(const struct history_entry *entry, struct step *ret)
{
    ret->text = memory_copy_text(entry->created_by);
}

const struct convention convention_bazel = {
    .name = "bazel",
    .builder = BUILDER_BAZEL,
    .recognises = recognises,
    .read = read,
};
