/* kaniko: the author "kaniko" on entries that have no time, instructions as the Dockerfile has
 * them, and no entry at all for USER, ENV, CMD and what else makes no layer. */
#include "history.h"
#include "instruction.h"

static bool recognises(const struct image_config *config, const struct history_entry *entry)
{
    (void)config;
    return text_equal(entry->author, "kaniko");
}

static void read(const struct history_entry *entry, struct step *ret)
{
    if (!instruction_read(entry->created_by, ret)) {
        ret->text = memory_copy_text(entry->created_by);
        return;
    }
    /* The shell is not written here: RUN ["a", "b"] is the form without one. */
    if (ret->kind == STEP_RUN)
        ret->shell_form = ret->text[0] != '[';
}

const struct convention convention_kaniko = {
    .name = "kaniko",
    .builder = BUILDER_KANIKO,
    .recognises = recognises,
    .read = read,
    .marks_border = true,
};
