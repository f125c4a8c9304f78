/* Splitting shell text into simple commands. Not an interpreter: nothing is expanded. */
#include "shell.h"

#include <string.h>

#include "regwarden/memory.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_operator(char c)
{
    return c == ';' || c == '&' || c == '|' || c == '(' || c == ')' || c == '\n';
}

/* Behind the closing quote, or the end. */
static const char *skip_quoted(const char *at, const char *end)
{
    char quote = *at++;

    while (at < end && *at != quote) {
        if (*at == '\\' && quote != '\'' && at + 1 < end)
            at++;
        at++;
    }
    return at < end ? at + 1 : end;
}

/* From the opening bracket of $(…), <(…) or ${…} to behind the closing one; brackets nest. */
static const char *skip_bracketed(const char *at, const char *end)
{
    char open = *at;
    char close = open == '(' ? ')' : '}';
    size_t depth = 0;

    while (at < end) {
        if (*at == '\'' || *at == '"') {
            at = skip_quoted(at, end);
            continue;
        }
        if (*at == '\\' && at + 1 < end)
            at++;
        else if (*at == open)
            depth++;
        else if (*at == close && --depth == 0)
            return at + 1;
        at++;
    }
    return end;
}

/* One step through a word: a quoted part, a substitution or one character. */
static const char *skip_part(const char *at, const char *end)
{
    if (*at == '\'' || *at == '"' || *at == '`')
        return skip_quoted(at, end);
    if (*at == '\\')
        return at + 1 < end ? at + 2 : end;
    if (*at == '$' && at + 1 < end && (at[1] == '(' || at[1] == '{'))
        return skip_bracketed(at + 1, end);
    return at + 1;
}

static const char *skip_word(const char *at, const char *end)
{
    while (at < end && !is_blank(*at) && !is_operator(*at) && *at != '<' && *at != '>')
        at = skip_part(at, end);
    return at;
}

/* Blanks, line continuations and comments. */
static void skip_blanks(struct shell_cursor *cursor)
{
    while (cursor->at < cursor->end) {
        if (is_blank(*cursor->at)) {
            cursor->at++;
        } else if (*cursor->at == '\\' && cursor->at + 1 < cursor->end && cursor->at[1] == '\n') {
            cursor->at += 2;
        } else if (*cursor->at == '#') {
            while (cursor->at < cursor->end && *cursor->at != '\n')
                cursor->at++;
        } else {
            return;
        }
    }
}

static void add_word(struct shell_command *command, const char *from, const char *to)
{
    if (command->count == SHELL_WORDS_MAX) {
        command->truncated = true;
        return;
    }
    command->words[command->count++] = (struct shell_word){from, (size_t)(to - from)};
}

static bool is_number(const struct shell_word *word)
{
    size_t i = 0;

    while (i < word->length && word->text[i] >= '0' && word->text[i] <= '9')
        i++;
    return i > 0 && i == word->length;
}

/* At `<` or `>`. A process substitution is a word; a redirection and its target are left out. */
static void read_redirection(struct shell_cursor *cursor, struct shell_command *command)
{
    const char *from = cursor->at;
    const char *end = cursor->end;
    bool heredoc = end - from > 2 && from[0] == '<' && from[1] == '<' && from[2] != '<';

    if (end - from > 1 && from[1] == '(') {
        cursor->at = skip_bracketed(from + 1, end);
        add_word(command, from, cursor->at);
        return;
    }
    /* "2>file": the digits stand right before the sign and belong to it. */
    if (command->count > 0 && is_number(&command->words[command->count - 1]) &&
        command->words[command->count - 1].text + command->words[command->count - 1].length == from)
        command->count--;
    while (cursor->at < end && strchr("<>&|-", *cursor->at) && *cursor->at != '\0')
        cursor->at++;
    skip_blanks(cursor);
    from = cursor->at;
    cursor->at = skip_word(from, end);
    if (heredoc)
        cursor->heredoc = (struct shell_word){from, (size_t)(cursor->at - from)};
}

/* Behind the line that ends the here-document. */
static const char *skip_heredoc(const char *at, const char *end, const struct shell_word *delimiter)
{
    struct shell_word word = shell_word_unquote(delimiter);

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline ? newline : end;
        const char *line = at;

        while (line < line_end && is_blank(*line))
            line++;
        at = newline ? newline + 1 : end;
        if ((size_t)(line_end - line) == word.length && memcmp(line, word.text, word.length) == 0)
            return at;
    }
    return end;
}

/* A here-document for a shell, or for no command at all, is a script: it is read on. Any other is
 * somebody's input: it is left out. */
static void end_line(struct shell_cursor *cursor, const struct shell_command *command)
{
    if (!cursor->heredoc.text)
        return;
    if (command->count > 0 && !shell_is_interpreter(&command->words[0]))
        cursor->at = skip_heredoc(cursor->at, cursor->end, &cursor->heredoc);
    cursor->heredoc = (struct shell_word){0};
}

/* At an operator: passes it, and notes whether the next command reads from this one. */
static void read_operator(struct shell_cursor *cursor, const struct shell_command *command)
{
    char first = *cursor->at++;
    bool doubled = cursor->at < cursor->end && *cursor->at == first && first != '\n' &&
                   first != '(' && first != ')';

    if (doubled)
        cursor->at++;
    if (first == '|')
        cursor->piped = !doubled;
    else if (first != '(' && command->count > 0)
        cursor->piped = false;
    if (first == '\n')
        end_line(cursor, command);
}

void shell_begin(const char *text, size_t length, struct shell_cursor *ret)
{
    *ret = (struct shell_cursor){.at = text, .end = text + length};
}

bool shell_next(struct shell_cursor *cursor, struct shell_command *ret)
{
    ret->count = 0;
    ret->truncated = false;
    ret->piped = cursor->piped;
    for (;;) {
        const char *from;

        skip_blanks(cursor);
        if (cursor->at == cursor->end)
            return ret->count > 0;
        from = cursor->at;
        if (*from == '&' && from + 1 < cursor->end && from[1] == '>') {
            cursor->at++;
            read_redirection(cursor, ret);
        } else if (is_operator(*from)) {
            read_operator(cursor, ret);
            if (ret->count > 0)
                return true;
            ret->piped = cursor->piped;
        } else if (*from == '<' || *from == '>') {
            read_redirection(cursor, ret);
        } else {
            cursor->at = skip_word(from, cursor->end);
            add_word(ret, from, cursor->at);
        }
    }
}

/* Walks the word without its quotes. False when it differs from `plain` before that ends. */
static bool matches(const struct shell_word *word, const char *plain, bool whole)
{
    size_t i = 0;

    for (; i < word->length; i++) {
        char c = word->text[i];

        if (c == '"' || c == '\'' || c == '\\')
            continue;
        if (*plain == '\0')
            return !whole;
        if (c != *plain++)
            return false;
    }
    return *plain == '\0';
}

bool shell_word_is(const struct shell_word *word, const char *plain)
{
    return matches(word, plain, true);
}

bool shell_word_starts_with(const struct shell_word *word, const char *plain)
{
    return matches(word, plain, false);
}

bool shell_word_has(const struct shell_word *word, const char *part)
{
    return memmem(word->text, word->length, part, strlen(part)) != NULL;
}

struct shell_word shell_word_base(const struct shell_word *word)
{
    const char *slash = memrchr(word->text, '/', word->length);

    if (!slash)
        return *word;
    return (struct shell_word){slash + 1, word->length - (size_t)(slash + 1 - word->text)};
}

struct shell_word shell_word_unquote(const struct shell_word *word)
{
    if (word->length >= 2 && (word->text[0] == '"' || word->text[0] == '\'') &&
        word->text[word->length - 1] == word->text[0])
        return (struct shell_word){word->text + 1, word->length - 2};
    return *word;
}

bool shell_is_interpreter(const struct shell_word *word)
{
    static const char *const names[] = {"sh", "bash", "dash", "ash", "zsh", "ksh"};
    struct shell_word base = shell_word_base(word);

    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (shell_word_is(&base, names[i]))
            return true;
    }
    return false;
}
