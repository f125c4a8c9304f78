/* THE list of history conventions. The first that recognises an entry reads it, so that an image on
 * a base from another builder has each part read by the right one. */
#include <string.h>

#include "history.h"
#include "instruction.h"

static bool recognises_anything(const struct image_config *config,
                                const struct history_entry *entry)
{
    (void)config;
    (void)entry;
    return true;
}

/* Imports, docker commit, debian.sh, KIWI, and entries cut short: an instruction when it reads like
 * one, else the text as it stands. */
static void read_plain(const struct history_entry *entry, struct step *ret)
{
    if (!instruction_read(entry->created_by, ret))
        ret->text = memory_copy_text(entry->created_by[0] ? entry->created_by : entry->comment);
}

const struct convention convention_plain = {
    .name = "plain",
    .builder = BUILDER_UNKNOWN,
    .recognises = recognises_anything,
    .read = read_plain,
};

static const struct convention *const conventions[] = {
    &convention_buildkit, &convention_kaniko, &convention_jib,        &convention_ko,
    &convention_apko,     &convention_nix,    &convention_buildpacks, &convention_buildah,
    &convention_classic,  &convention_bazel,  &convention_plain,
};

const struct convention *convention_find(const struct image_config *config,
                                         const struct history_entry *entry)
{
    size_t i = 0;
    while (!conventions[i]->recognises(config, entry))
        i++;
    return conventions[i];
}
