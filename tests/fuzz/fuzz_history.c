/* History and secrets from hostile text: each line is one entry, "created_by <tab> comment <tab>
 * author"; a line that begins with '!' makes no layer. The same text goes through redaction. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"
#include "regwarden/secret_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

enum { ENTRIES_MAX = 64 };

/* Cuts the next field off; "" when there is none. */
static char *next_field(char **line, const char *separator)
{
    char *field = strsep(line, separator);
    return memory_copy_text(field ? field : "");
}

static void fill(struct image_config *config, char *text)
{
    config->history = memory_new_array(ENTRIES_MAX, sizeof(*config->history));
    for (char *line = strsep(&text, "\n"); line && config->history_count < ENTRIES_MAX;
         line = strsep(&text, "\n")) {
        struct history_entry *entry = &config->history[config->history_count++];
        entry->empty_layer = *line == '!';
        line += entry->empty_layer;
        entry->created_by = next_field(&line, "\t");
        entry->comment = next_field(&line, "\t");
        entry->author = next_field(&line, "\t");
        entry->has_created = config->history_count % 3 != 0;
        entry->created_ms = (int64_t)config->history_count * 1000000000;
    }
}

static void check_history(char *text)
{
    struct image_config *config = memory_new(sizeof(*config));
    fill(config, text);
    size_t count = config->history_count, layers = 0;
    struct facts_history history = {0};
    for (size_t i = 0; i < count; i++)
        layers += !config->history[i].empty_layer;
    history_build(config, layers, &history);
    must(history.aligned && history.count == count);
    for (size_t i = 0; i < count; i++)
        must(history.steps[i].text);
    history_release(&history);
    image_config_free(config);
}

static void check_redaction(const char *text)
{
    AUTO_FREE char *redacted = secret_text_redact(text);
    struct secret_match match;
    must(strlen(redacted) <= 16 * strlen(text) + 16);
    if (secret_text_find(text, &match, 1) == 1)
        must(match.start + match.size <= strlen(text) && match.size > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = memory_copy_bytes(data, size);
    check_redaction(text);
    check_history(text);
    return 0;
}
