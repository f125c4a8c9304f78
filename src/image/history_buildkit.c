/* BuildKit: the comment "buildkit.dockerfile.v0" on every entry; the suffix " # buildkit" on RUN,
 * COPY and ADD only, so that the suffix alone would lose CMD, EXPOSE, LABEL and the rest. --from,
 * --link and --mount are never written. Other frontends than the Dockerfile's say
 * "buildkit.exporter.image.v0" and describe the operation in words. */
#include <string.h>

#include "history.h"
#include "instruction.h"

static const char suffix[] = " # buildkit";

static bool recognises(const struct image_config *config, const struct history_entry *entry)
{
    (void)config;
    return text_starts_with(entry->comment, "buildkit.") ||
           text_ends_with(entry->created_by, suffix);
}

static void read(const struct history_entry *entry, struct step *ret)
{
    AUTO_FREE char *line = memory_copy_text(entry->created_by);
    if (text_ends_with(line, suffix))
        line[strlen(line) - strlen(suffix)] = '\0';
    if (!instruction_read(line, ret))
        ret->text = TAKE(line);
}

const struct convention convention_buildkit = {
    .name = "buildkit",
    .builder = BUILDER_BUILDKIT,
    .recognises = recognises,
    .read = read,
};
