/* History: what each builder wrote into `history`, read back into steps. Private to the room.
 *
 * created_by is free text from outside: it proves presence, never absence. Each builder's habits
 * live in one small file with one `struct convention` at its end; conventions.c lists them. */
#ifndef IMAGE_HISTORY_H
#define IMAGE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "regwarden/facts.h"

struct convention {
    const char *name;
    enum image_builder builder;
    /* Is this entry written by this builder? */
    bool (*recognises)(const struct image_config *config, const struct history_entry *entry);
    /* Fills kind, text, args and shell_form; `ret` is zeroed. */
    void (*read)(const struct history_entry *entry, struct step *ret);
    /* Every entry that the builder adds bears its mark, so that the first one is the border to the
     * base. */
    bool marks_border;
};

extern const struct convention convention_apko;
extern const struct convention convention_bazel;
extern const struct convention convention_buildah;
extern const struct convention convention_buildkit;
extern const struct convention convention_buildpacks;
extern const struct convention convention_classic;
extern const struct convention convention_jib;
extern const struct convention convention_kaniko;
extern const struct convention convention_ko;
extern const struct convention convention_nix;
extern const struct convention convention_plain; /* whatever no other recognises */

/* Never NULL: convention_plain at last. Borrowed. */
const struct convention *convention_find(const struct image_config *config,
                                         const struct history_entry *entry);

/* Year 1, which Go programs write for "no time". */
bool history_time_is_zero(const struct history_entry *entry);

/* The image that buildah names in the comment "FROM <image>"; NULL for other comments and for the
 * 12 or 64 hex digits of an intermediate image. Borrowed from the entry. */
const char *history_from_comment(const struct history_entry *entry);

/* Steps for all entries, builder and alignment with `layer_count` layers. Fills a zeroed `ret`. */
void history_build(const struct image_config *config, size_t layer_count,
                   struct facts_history *ret);
void history_release(struct facts_history *history);

#endif
