/* Any bytes as the text of a history step: every word lies within the text, and the checks end. */
#include <stddef.h>
#include <stdint.h>

#include "history_checks.h"
#include "run_step.h"

#include "regwarden/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(const char *text, size_t size)
{
    struct shell_cursor cursor;
    struct shell_command command;

    shell_begin(text, size, &cursor);
    while (shell_next(&cursor, &command)) {
        if (command.count == 0 || command.count > SHELL_WORDS_MAX)
            abort();
        for (size_t i = 0; i < command.count; i++) {
            const struct shell_word *word = &command.words[i];

            if (word->text < text || word->text + word->length > text + size)
                abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum step_kind kinds[] = {STEP_RUN, STEP_ADD, STEP_MAINTAINER};
    AUTO_FREE char *text = memory_copy_bytes(data, size);
    size_t length = strlen(text);

    check_words(text, length);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct step step = {.kind = kinds[i], .text = text};
        const struct facts facts = {.history = {.steps = &step, .count = 1}};

        history_check_step(&facts, &step);
    }
    return 0;
}
