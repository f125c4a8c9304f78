/* An AWS of a test: an HTTP server on loopback that answers from a list and keeps what it was
 * asked. */
#ifndef TEST_AWS_FIXTURE_H
#define TEST_AWS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "regwarden/http_server.h"

#include "internal.h"

enum { ANSWERS_MAX = 16 };

struct prepared {
    int status; /* 0: the connection is closed without an answer */
    const char *body;
    const char *date; /* header Date; NULL: none */
    const char *type; /* header x-amzn-errortype; NULL: none */
    bool keeps;       /* no answer until fixture_close */
};

struct fixture {
    struct loop *loop;
    struct http_server *server;
    struct config_aws settings;
    struct aws_tuning tuning;
    struct aws *aws;
    char *url;
    char directory[32];
    char *credentials_path;
    struct prepared answers[ANSWERS_MAX]; /* the last is repeated */
    size_t answer_count;
    size_t asked;
    struct text_list requests; /* "METHOD path", the headers of interest and the body */
};

void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
void fixture_start(struct fixture *fixture); /* makes `aws` from the settings */
void fixture_answer(struct fixture *fixture, const struct prepared *answer);
/* Writes a file of credentials; its path is the settings'. */
void fixture_write_credentials(struct fixture *fixture, const char *content);
/* Writes another file in the directory. Returns its path, new. */
char *fixture_write(struct fixture *fixture, const char *name, const char *content);

struct outcome {
    unsigned called;
    struct error error;
    int status;
    char *type;
    struct text body;
};
void outcome_take(void *outcome, const struct aws_answer *answer);
void outcome_release(struct outcome *outcome);
#define AUTO_OUTCOME AUTO(outcome_release)

/* A call {"a":1} of a service; `writes` as in aws_call. */
uint64_t fixture_call(struct fixture *fixture, bool writes, struct outcome *outcome);
void fixture_wait(struct fixture *fixture, const struct outcome *outcome);
void fixture_run(struct fixture *fixture, int64_t ms);

#define CREDENTIALS_FILE                \
    "[default]\n"                       \
    "aws_access_key_id = AKIDEXAMPLE\n" \
    "aws_secret_access_key = sup3r/s3cr3t"

#endif
