/* The classic docker builder: "/bin/sh -c #(nop)  CMD […]" for instructions without a command,
 * "/bin/sh -c …" for RUN, and "|2 A=b C=d /bin/sh -c …" when there were build arguments. Sources of
 * COPY and ADD are hashes ("file:…", "dir:…", "multi:…"), so an ADD of a URL looks like a file. */
#include <string.h>

#include "history.h"
#include "instruction.h"
#include "shell_words.h"

static const char mark[] = "#(nop)";

static bool recognises(const struct image_config *config, const struct history_entry *entry)
{
    (void)config;
    return shell_prefix_size(entry->created_by) > 0 ||
           (entry->created_by[0] == '|' && strspn(entry->created_by + 1, "0123456789") > 0);
}

static void read(const struct history_entry *entry, struct step *ret)
{
    const char *line = entry->created_by;
    const char *command = line + shell_prefix_size(line);
    if (!text_starts_with(command, mark)) {
        instruction_read_run(line, ret);
        return;
    }
    command += strlen(mark);
    command += strspn(command, " ");
    if (!instruction_read(command, ret))
        ret->text = memory_copy_text(command);
}

const struct convention convention_classic = {
    .name = "classic",
    .builder = BUILDER_CLASSIC,
    .recognises = recognises,
    .read = read,
};
