/* buildah and podman build: the classic builder's texts with one blank where docker has two, the
 * comment "FROM <image>" on the first own step, and in recent releases a tail of settings behind
 * the instruction. The label io.buildah.version is inherited by every image built on top, by
 * whatever builder: it never decides alone. */
#include <string.h>

#include "history.h"

static const char *const tails[] = {"|unsetLabel=", "|inheritLabels=", "|force-mtime="};

/* docker has written two blanks since 1.12 (2016); buildah is younger than this. */
static const int64_t two_blanks_since_ms = INT64_C(1514764800000); /* 2018-01-01 */

static bool is_setting(const char *text)
{
    for (size_t i = 0; i < ARRAY_COUNT(tails); i++) {
        size_t size = strlen(tails[i]);
        if (text_starts_with(text, tails[i]) &&
            text[size + strspn(text + size, "abcdefghijklmnopqrstuvwxyz0123456789")] == '\0')
            return true;
    }
    return false;
}

/* Takes the tail of settings off. Only what stands at the very end counts:
 * the same words inside a command must not hide what follows them. */
static void cut_tail(char *line)
{
    for (char *bar = strrchr(line, '|'); bar && is_setting(bar); bar = strrchr(line, '|'))
        *bar = '\0';
}

/* "#(nop) CMD": COPY, ADD and WORKDIR have one blank with docker too. */
static bool has_one_blank(const char *line)
{
    static const char mark[] = "/bin/sh -c #(nop) ";
    const char *word = text_starts_with(line, mark) ? line + strlen(mark) : "";
    return *word && *word != ' ' && !text_starts_with(word, "COPY ") &&
           !text_starts_with(word, "ADD ") && !text_starts_with(word, "WORKDIR ");
}

const char *history_from_comment(const struct history_entry *entry)
{
    if (!text_starts_with(entry->comment, "FROM ") || entry->comment[5] == '\0')
        return NULL;
    const char *name = entry->comment + 5;
    size_t size = strlen(name);
    bool hex = strspn(name, "0123456789abcdef") == size;
    return hex && (size == 12 || size == 64) ? NULL : name;
}

static bool recognises(const struct image_config *config, const struct history_entry *entry)
{
    (void)config;
    if (text_starts_with(entry->comment, "FROM "))
        return true;
    const char *bar = strrchr(entry->created_by, '|');
    if (bar && is_setting(bar))
        return true;
    return has_one_blank(entry->created_by) && entry->has_created &&
           entry->created_ms >= two_blanks_since_ms;
}

static void read(const struct history_entry *entry, struct step *ret)
{
    struct history_entry classic = *entry;
    AUTO_FREE char *line = memory_copy_text(entry->created_by);
    cut_tail(line);
    classic.created_by = line;
    if (convention_classic.recognises(NULL, &classic))
        convention_classic.read(&classic, ret);
    else
        convention_plain.read(&classic, ret);
}

const struct convention convention_buildah = {
    .name = "buildah",
    .builder = BUILDER_BUILDAH,
    .recognises = recognises,
    .read = read,
};
