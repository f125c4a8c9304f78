/* Dockerfile text cut into instructions: directives, continuation, comments, here-documents. What
 * the instructions mean is in dockerfile.c. */
#include "dockerfile_lines.h"

#include <string.h>
#include <strings.h>

#include "dockerfile_words.h"

enum { HEREDOCS_MAX = 16, MARK_MAX = 128 };

struct span {
    const char *at;
    size_t size;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct span trim(struct span span)
{
    while (span.size > 0 && is_blank(*span.at)) {
        span.at++;
        span.size--;
    }
    while (span.size > 0 && is_blank(span.at[span.size - 1]))
        span.size--;
    return span;
}

/* One line of the text, without its end. False behind the last. */
static bool next_line(struct dockerfile_lines *lines, struct span *ret)
{
    const char *newline;

    if (lines->at >= lines->end)
        return false;
    newline = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    ret->at = lines->at;
    ret->size = (size_t)((newline ? newline : lines->end) - lines->at);
    lines->at = newline ? newline + 1 : lines->end;
    lines->line++;
    if (ret->size > 0 && ret->at[ret->size - 1] == '\r')
        ret->size--;
    return true;
}

/* "# name=value" or "// name=value". False when the line is none. */
static bool read_directive(struct dockerfile_lines *lines, struct span line)
{
    struct span name;
    struct span value;
    const char *equals;

    line = trim(line);
    if (line.size > 0 && *line.at == '#')
        line = trim((struct span){line.at + 1, line.size - 1});
    else if (line.size > 1 && line.at[0] == '/' && line.at[1] == '/')
        line = trim((struct span){line.at + 2, line.size - 2});
    else
        return false;
    equals = memchr(line.at, '=', line.size);
    if (!equals)
        return false;
    name = trim((struct span){line.at, (size_t)(equals - line.at)});
    value = trim((struct span){equals + 1, line.size - (size_t)(equals - line.at) - 1});
    if (name.size == 0 || memchr(name.at, ' ', name.size))
        return false;
    if (name.size == 6 && strncasecmp(name.at, "escape", 6) == 0 && value.size == 1 &&
        (*value.at == '\\' || *value.at == '`'))
        lines->escape = *value.at;
    if (name.size == 6 && strncasecmp(name.at, "syntax", 6) == 0 && !lines->syntax) {
        AUTO_TEXT struct text syntax = {0};

        text_add_bytes(&syntax, value.at, value.size);
        lines->syntax = text_take(&syntax);
    }
    return true;
}

void dockerfile_lines_init(struct dockerfile_lines *lines, const char *text, size_t size)
{
    struct dockerfile_lines before;
    struct span line;

    *lines = (struct dockerfile_lines){.at = text, .end = text + size, .line = 1, .escape = '\\'};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        lines->at += 3;
    before = *lines;
    if (!(next_line(lines, &line) && line.size > 1 && line.at[0] == '#' && line.at[1] == '!'))
        *lines = before;
    for (;;) {
        before = *lines;
        if (next_line(lines, &line) && read_directive(lines, line))
            continue;
        lines->at = before.at;
        lines->line = before.line;
        return;
    }
}

void dockerfile_lines_release(struct dockerfile_lines *lines)
{
    free(lines->syntax);
    lines->syntax = NULL;
}

/* Takes the escape character off the end of the line: the next one continues it. */
static bool take_continuation(const struct dockerfile_lines *lines, struct span *line)
{
    size_t size = line->size;

    while (size > 0 && is_blank(line->at[size - 1]))
        size--;
    if (size == 0 || line->at[size - 1] != lines->escape)
        return false;
    if (size > 1 && line->at[size - 2] == lines->escape)
        return false;
    line->size = size - 1;
    return true;
}

static bool is_comment_or_empty(struct span line)
{
    line = trim(line);
    return line.size == 0 || *line.at == '#';
}

static bool read_head(struct dockerfile_lines *lines, struct text *head, unsigned *ret_line)
{
    struct span line;
    bool more = true;

    text_clear(head);
    while (more && next_line(lines, &line)) {
        if (is_comment_or_empty(line))
            continue;
        if (head->length == 0) {
            *ret_line = lines->line - 1;
            line = trim(line);
        }
        more = take_continuation(lines, &line);
        text_add_bytes(head, line.at, line.size);
    }
    return head->length > 0;
}

/* "<<EOF", "3<<-'EOF'": the mark that ends the document. False for other words. */
static bool read_mark(const char *word, size_t size, char mark[static MARK_MAX], bool *ret_strip)
{
    size_t at = 0;
    size_t length = 0;

    while (at < size && word[at] >= '0' && word[at] <= '9')
        at++;
    if (size - at < 3 || word[at] != '<' || word[at + 1] != '<')
        return false;
    at += 2;
    *ret_strip = word[at] == '-';
    if (*ret_strip)
        at++;
    for (; at < size; at++) {
        if (word[at] == '<' || length == MARK_MAX - 1)
            return false;
        if (word[at] != '"' && word[at] != '\'')
            mark[length++] = word[at];
    }
    mark[length] = '\0';
    return length > 0;
}

static void read_body(struct dockerfile_lines *lines, const char *mark, bool strip,
                      struct text *bodies)
{
    struct span line;

    while (next_line(lines, &line)) {
        while (strip && line.size > 0 && *line.at == '\t') {
            line.at++;
            line.size--;
        }
        text_add_char(bodies, '\n');
        text_add_bytes(bodies, line.at, line.size);
        if (line.size == strlen(mark) && memcmp(line.at, mark, line.size) == 0)
            return;
    }
}

/* Only these have here-documents; "<<" in a LABEL is text. */
static bool may_have_bodies(const char *head)
{
    static const char *const keywords[] = {"RUN", "COPY", "ADD"};

    if (strncasecmp(head, "ONBUILD", 7) == 0)
        head += 7;
    while (is_blank(*head))
        head++;
    for (size_t i = 0; i < ARRAY_COUNT(keywords); i++) {
        size_t size = strlen(keywords[i]);

        if (strncasecmp(head, keywords[i], size) == 0 && is_blank(head[size]))
            return true;
    }
    return false;
}

bool dockerfile_lines_next(struct dockerfile_lines *lines, struct text *head, struct text *bodies,
                           unsigned *ret_line)
{
    struct dockerfile_words words;
    const char *word;
    size_t size;
    char mark[MARK_MAX];
    bool strip;
    unsigned count = 0;

    text_clear(bodies);
    if (!read_head(lines, head, ret_line))
        return false;
    if (!may_have_bodies(head->data))
        return true;
    words = (struct dockerfile_words){.at = head->data, .escape = lines->escape};
    while (count < HEREDOCS_MAX && dockerfile_next_word(&words, &word, &size)) {
        if (!read_mark(word, size, mark, &strip))
            continue;
        read_body(lines, mark, strip, bodies);
        count++;
    }
    return true;
}
