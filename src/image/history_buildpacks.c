/* Cloud Native Buildpacks: lifecycle writes what each layer is ("Layer: 'jre', Created by
 * buildpack: …", "Application Layer"); older releases left the entries empty and dated 1980. Its
 * metadata label tells the rest, but is inherited by images built on top, so that it only speaks
 * for entries that bear no other mark. */
#include <string.h>

#include "history.h"

static const char *const texts[] = {
    "Layer: '",
    "Application Layer",
    "Application Slice: ",
    "Buildpacks Application Launcher",
    "Buildpacks Launcher Config",
    "Buildpacks Process Types",
    "Software Bill-of-Materials",
    "Reused from previous image",
};

static const int64_t year_1980_ms = INT64_C(315532800000);

static bool is_unsigned(const struct history_entry *entry)
{
    return entry->created_by[0] == '\0' && entry->comment[0] == '\0' && entry->author[0] == '\0' &&
           entry->has_created && entry->created_ms / 1000 == year_1980_ms / 1000 + 1;
}

static bool recognises(const struct image_config *config, const struct history_entry *entry)
{
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        if (text_starts_with(entry->created_by, texts[i]))
            return true;
    return is_unsigned(entry) &&
           text_pairs_get(&config->labels, "io.buildpacks.lifecycle.metadata");
}

static void read(const struct history_entry *entry, struct step *ret)
{
    ret->text = memory_copy_text(entry->created_by);
}

const struct convention convention_buildpacks = {
    .name = "buildpacks",
    .builder = BUILDER_BUILDPACKS,
    .recognises = recognises,
    .read = read,
};
