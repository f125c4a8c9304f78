/* Dockerfile text: instructions with their lines, stages, and what each stage starts from.
 *
 * Reads what BuildKit's parser reads: parser directives, escape character, continuation, comments,
 * here-documents, ARG before FROM with defaults and build arguments, named build contexts. It
 * judges nothing and runs nothing. The text comes from outside: what is over the bounds is
 * FAILURE_LIMIT; anything else is read as well as it can be. Plain data; pure; any thread. */
#ifndef REGWARDEN_DOCKERFILE_H
#define REGWARDEN_DOCKERFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "regwarden/error.h"
#include "regwarden/facts.h"
#include "regwarden/text.h"

enum {
    DOCKERFILE_BYTES_MAX = 256 * 1024,
    DOCKERFILE_INSTRUCTIONS_MAX = 4096,
    DOCKERFILE_STAGES_MAX = 256,
};

struct dockerfile_instruction {
    unsigned line;           /* where it begins, from 1 */
    int stage;               /* -1 before the first FROM */
    char *keyword;           /* "RUN" */
    struct text_pairs flags; /* of "--from=build": "from", "build" */
    char *text; /* what follows, continued lines joined; bodies of here-documents on lines below */
};

struct dockerfile_stage {
    unsigned line;
    char *name;    /* of "AS", in lower case; NULL when it has none */
    char *written; /* what FROM names, as it stands there */
    int parent;    /* the stage that it continues, or -1 */
    char *image;   /* the image that it starts from; NULL for a stage, or when that is not known */
    enum answer pinned; /* is the image named by digest? yes for "scratch"; unknown for a stage */
    bool replaced;      /* a named build context took the image's place */
};

struct dockerfile {
    char *syntax; /* of "# syntax=", NULL when absent */
    struct dockerfile_instruction *instructions;
    size_t instruction_count;
    struct dockerfile_stage *stages;
    size_t stage_count;
    struct text_list images; /* that files come from: COPY --from=, RUN --mount=from= */
};

/* What the build was called with; either may be NULL. */
struct dockerfile_call {
    const struct text_pairs *arguments; /* of --build-arg */
    const struct text_pairs *contexts;  /* of --build-context: name and where it leads */
};

/* `call` may be NULL. FAILURE_LIMIT, FAILURE_INPUT for text that holds NUL. Returns new. */
int dockerfile_parse(const char *text, size_t size, const struct dockerfile_call *call,
                     struct dockerfile **ret, struct error *err);
void dockerfile_auto_free(struct dockerfile **dockerfile);
#define AUTO_DOCKERFILE AUTO(dockerfile_auto_free)

/* The stage that is built: the last one, or `target` by name or number (NULL or "": the last). -1
 * when there is none. */
int dockerfile_target(const struct dockerfile *dockerfile, const char *target);
/* The stage at the root of this one, whose image is its base. */
const struct dockerfile_stage *dockerfile_root(const struct dockerfile *dockerfile, int stage);

#endif
