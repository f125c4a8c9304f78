/* Dockerfile text: whatever it holds, its lines come in order, and every stage has a root. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/dockerfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_DOCKERFILE struct dockerfile *file = NULL;
    unsigned line = 0;

    if (dockerfile_parse((const char *)data, size, NULL, &file, NULL) < 0)
        return 0;
    for (size_t i = 0; i < file->instruction_count; i++) {
        must(file->instructions[i].line > line && *file->instructions[i].keyword);
        must(file->instructions[i].stage < (int)file->stage_count);
        line = file->instructions[i].line;
    }
    must(line <= size + 1);
    for (size_t i = 0; i < file->stage_count; i++)
        must(dockerfile_root(file, (int)i)->parent == -1);
    must(dockerfile_target(file, NULL) < (int)file->stage_count);
    return 0;
}
