/* Messages of every dialect, written for these tests, and what must come out of them. */
#ifndef TEST_MESSAGES_H
#define TEST_MESSAGES_H

struct test_message {
    const char *name; /* begins with a star when only the settings can tell the dialect */
    const char *dialect;
    const char *url;     /* of the registry; NULL: one that no payload names */
    const char *headers; /* "name: value" lines; may be NULL */
    const char *body;    /* with ' for " */
    const char *outcome; /* as outcome.h says it, or "not understood: TEXT" */
};
extern const struct test_message test_messages[]; /* ends with a NULL name */

#endif
