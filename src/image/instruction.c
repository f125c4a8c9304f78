/* Reads one instruction from a line of history. The line is no Dockerfile: quoting is lost, lists
 * are printed the way Go prints them, and build arguments stand in front of the command. */
#include "instruction.h"

#include <string.h>

#include "shell_words.h"

enum { ARGS_MAX = 256 };

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9');
}

/* Size of "NAME=" at `word`, 0 when it is none. */
static size_t assignment_size(const char *word)
{
    size_t size = 0;
    if (!is_name_start(*word))
        return 0;
    while (is_name(word[size]))
        size++;
    return word[size] == '=' ? size + 1 : 0;
}

static void add_arg(struct step *step, const char *name, size_t name_size, const char *value,
                    size_t value_size)
{
    AUTO_FREE char *key = memory_copy_bytes(name, name_size);
    AUTO_FREE char *copy = memory_copy_bytes(value, value_size);
    text_pairs_add(&step->args, key, copy);
}

/* Values are not quoted and may hold blanks. One ends where the next NAME= stands; the last one
 * ends in front of a shell, or, for lack of one, after its first word. */
static size_t value_size(const char *value, bool last)
{
    size_t size = strcspn(value, " ");
    size_t first = size;
    while (value[size] == ' ') {
        const char *word = value + size + 1;
        if (last ? shell_prefix_size(word) > 0 : assignment_size(word) > 0)
            return size;
        size += 1 + strcspn(word, " ");
    }
    return last ? first : size;
}

static uint64_t read_count(const char *line)
{
    AUTO_FREE char *digits = memory_copy_bytes(line, strspn(line, "0123456789"));
    uint64_t count = 0;
    return text_parse_uint(digits, ARGS_MAX, &count, NULL) == 0 ? count : 0;
}

/* "|2 A=b C=d rest": returns the rest. */
static const char *read_args(const char *line, struct step *ret)
{
    if (*line != '|' || strspn(line + 1, "0123456789") == 0)
        return line;
    uint64_t count = read_count(line + 1);
    line += 1 + strspn(line + 1, "0123456789");
    line += *line == ' ';
    for (uint64_t i = 0; i < count; i++) {
        size_t name = assignment_size(line);
        if (name == 0)
            return line;
        size_t size = value_size(line + name, i + 1 == count);
        add_arg(ret, line, name - 1, line + name, size);
        line += name + size;
        line += *line == ' ';
    }
    return line;
}

void instruction_read_run(const char *line, struct step *ret)
{
    const char *command = read_args(line, ret);
    size_t shell = shell_prefix_size(command);
    ret->kind = STEP_RUN;
    ret->shell_form = shell > 0;
    ret->text = memory_copy_text(command + shell);
}

/* ["a" "b"] as Go prints a list of strings: the commas are put back. */
static char *with_commas(const char *list)
{
    struct text text = {0};
    bool quoted = false;
    for (const char *c = list; *c; c++) {
        text_add_char(&text, *c);
        if (quoted && *c == '\\' && c[1])
            text_add_char(&text, *++c);
        else if (*c == '"')
            quoted = !quoted;
        if (!quoted && *c == '"' && c[1] == ' ' && c[2] == '"')
            text_add_char(&text, ',');
    }
    return text_take(&text);
}

/* map[8080/tcp:{} 9090/tcp:{}] and [8080/tcp 9090/tcp] become "8080/tcp 9090/tcp"; a JSON list of
 * strings stays. */
static char *without_brackets(const char *list)
{
    const char *start = text_starts_with(list, "map[") ? list + 4 : list + (*list == '[');
    size_t size = strlen(start);
    if (start == list || *start == '"' || size == 0 || start[size - 1] != ']')
        return memory_copy_text(list);
    struct text text = {0};
    for (const char *c = start; c < start + size - 1; c++) {
        if (text_starts_with(c, ":{}"))
            c += 2;
        else
            text_add_char(&text, *c);
    }
    return text_take(&text);
}

/* Does a list in Go's or JSON's spelling start a shell with a script: ["/bin/sh" "-c" "…"]? */
static bool runs_shell(const char *list)
{
    struct text line = {0};
    for (const char *c = list + 1; *c && *c != ']' && line.length < 256; c++)
        if (*c != '"' && *c != ',')
            text_add_char(&line, *c);
    bool shell = shell_prefix_size(text_data(&line)) > 0;
    text_release(&line);
    return shell;
}

static void set_arguments(struct step *ret, const char *text)
{
    bool command = ret->kind == STEP_CMD || ret->kind == STEP_ENTRYPOINT;
    if (ret->kind == STEP_RUN) {
        instruction_read_run(text, ret);
    } else if (command) {
        ret->shell_form = *text != '[' || runs_shell(text);
        ret->text = with_commas(text);
    } else if (ret->kind == STEP_EXPOSE || ret->kind == STEP_VOLUME || ret->kind == STEP_SHELL) {
        ret->text = without_brackets(text);
    } else {
        ret->text = memory_copy_text(text);
    }
}

bool instruction_read(const char *line, struct step *ret)
{
    size_t size = strcspn(line, " \t");
    AUTO_FREE char *name = memory_copy_bytes(line, size);
    if (step_kind_from_name(name, &ret->kind) || ret->kind == STEP_OTHER) {
        ret->kind = STEP_OTHER;
        return false;
    }
    const char *text = line + size + strspn(line + size, " \t");
    AUTO_FREE char *trimmed = memory_copy_text(text);
    for (size_t end = strlen(trimmed); end > 0 && strchr(" \t", trimmed[end - 1]); end--)
        trimmed[end - 1] = '\0';
    set_arguments(ret, trimmed);
    return true;
}
