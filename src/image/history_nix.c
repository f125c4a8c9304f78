/* Nix dockerTools: no created_by, and the comment "store paths: ['/nix/store/…']". The history of a
 * base image is dropped, so that nothing lines up with the layers then. */
#include "history.h"

static bool recognises(const struct image_config *config, const struct history_entry *entry)
{
    (void)config;
    return text_starts_with(entry->comment, "store paths: [");
}

static void read(const struct history_entry *entry, struct step *ret)
{
    ret->text = memory_copy_text(entry->comment);
}

const struct convention convention_nix = {
    .name = "nix",
    .builder = BUILDER_NIX,
    .recognises = recognises,
    .read = read,
};
