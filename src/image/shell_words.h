/* Recognising shells in command lines. Private to the room. */
#ifndef IMAGE_SHELL_WORDS_H
#define IMAGE_SHELL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "regwarden/text.h"

/* Does the command start with a shell that is told to run a script: ["/bin/bash", "-o", "pipefail",
 * "-c", …]? */
bool shell_runs_list(const struct text_list *command);

/* How many bytes at the start of `line` are a shell with its options and the blank behind: "/bin/sh
 * -c ", "cmd /S /C ". 0 when there is none. */
size_t shell_prefix_size(const char *line);

#endif
