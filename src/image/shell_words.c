/* The shells that Dockerfile instructions run in. A table of names and of the option that says "the
 * script follows"; no shell is parsed here. */
#include "shell_words.h"

#include <string.h>

enum { SHELL_OPTIONS_MAX = 8 };

static const struct {
    const char *name;
    bool windows;
} shells[] = {
    {.name = "sh"},
    {.name = "bash"},
    {.name = "ash"},
    {.name = "dash"},
    {.name = "ksh"},
    {.name = "mksh"},
    {.name = "zsh"},
    {.name = "fish"},
    {.name = "cmd", .windows = true},
    {.name = "cmd.exe", .windows = true},
    {.name = "powershell", .windows = true},
    {.name = "powershell.exe", .windows = true},
    {.name = "pwsh", .windows = true},
    {.name = "pwsh.exe", .windows = true},
};

static bool word_is(const char *word, size_t size, const char *name)
{
    if (strlen(name) != size)
        return false;
    AUTO_FREE char *copy = memory_copy_bytes(word, size);
    return text_equal_nocase(copy, name);
}

/* Returns the row's index or -1. The directory in front does not count. */
static int find_shell(const char *word, size_t size)
{
    for (size_t i = size; i > 0; i--) {
        if (word[i - 1] != '/' && word[i - 1] != '\\')
            continue;
        word += i;
        size -= i;
        break;
    }
    for (size_t i = 0; i < ARRAY_COUNT(shells); i++)
        if (word_is(word, size, shells[i].name))
            return (int)i;
    return -1;
}

/* "-c", "-ec", "-lc"; "/C", "-Command", "-c". */
static bool announces_script(const char *word, size_t size, bool windows)
{
    if (windows && (word_is(word, size, "/c") || word_is(word, size, "-command")))
        return true;
    return size >= 2 && word[0] == '-' && word[1] != '-' && word[size - 1] == 'c';
}

bool shell_runs_list(const struct text_list *command)
{
    if (command->count < 2)
        return false;
    int shell = find_shell(command->items[0], strlen(command->items[0]));
    for (size_t i = 1; shell >= 0 && i < command->count && i <= SHELL_OPTIONS_MAX; i++)
        if (announces_script(command->items[i], strlen(command->items[i]), shells[shell].windows))
            return true;
    return false;
}

size_t shell_prefix_size(const char *line)
{
    size_t at = strcspn(line, " ");
    int shell = find_shell(line, at);
    for (size_t i = 0; shell >= 0 && i < SHELL_OPTIONS_MAX && line[at] == ' '; i++) {
        const char *word = line + at + 1;
        size_t size = strcspn(word, " ");
        at += 1 + size;
        if (announces_script(word, size, shells[shell].windows))
            return line[at] == ' ' ? at + 1 : at;
    }
    return 0;
}
