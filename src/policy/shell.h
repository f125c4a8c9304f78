/* Shell text of RUN steps, split into simple commands without running or copying anything.
 *
 * Knows quotes, escapes, comments, operators (&& || ; | & newline and parentheses), redirections,
 * here-documents and command substitution (kept as part of its word). It expands nothing: a
 * variable stays `$X`. The text is hostile: whatever it holds, the reader ends, within it. */
#ifndef REGWARDEN_POLICY_SHELL_H
#define REGWARDEN_POLICY_SHELL_H

#include <stdbool.h>
#include <stddef.h>

struct shell_word { /* borrowed; quotes are still on it */
    const char *text;
    size_t length;
};

enum { SHELL_WORDS_MAX = 256 };
struct shell_command {
    struct shell_word words[SHELL_WORDS_MAX];
    size_t count;
    bool truncated; /* it had more words */
    bool piped;     /* reads what the command before it writes */
};

struct shell_cursor {
    const char *at;
    const char *end;
    bool piped;
    struct shell_word heredoc; /* delimiter of a here-document that begins after this line */
};

void shell_begin(const char *text, size_t length, struct shell_cursor *ret);
/* False at the end. Every command has at least one word. */
bool shell_next(struct shell_cursor *cursor, struct shell_command *ret);

/* Compare as the shell would see the word: quotes and backslashes taken off. */
bool shell_word_is(const struct shell_word *word, const char *plain);
bool shell_word_has(const struct shell_word *word, const char *part); /* of its raw text */
bool shell_word_starts_with(const struct shell_word *word, const char *plain);
/* The part behind the last slash: "/usr/bin/apt-get" is "apt-get". */
struct shell_word shell_word_base(const struct shell_word *word);
/* The text between the quotes that enclose the word as a whole, or the word as it is. */
struct shell_word shell_word_unquote(const struct shell_word *word);
bool shell_is_interpreter(const struct shell_word *word); /* sh, bash, dash, … */

#endif
