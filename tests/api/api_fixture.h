/* The API behind a real HTTP server on loopback and on a unix socket, with a real store in a
 * temporary directory. What the daemon would do is written down instead. */
#ifndef TEST_API_FIXTURE_H
#define TEST_API_FIXTURE_H

#include "raw_client.h"

#include "regwarden/api.h"
#include "regwarden/http_server.h"

#define API_TOKEN "t0ken-of-the-operator"
#define DIGEST_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* What the API asked the daemon for. */
struct asked {
    char what[16]; /* "release", "sweep", "retry" */
    uint64_t request;
    int64_t id;
    bool force;
    char by[256];
    char registry[64]; /* "-" for NULL */
};

struct fixture {
    struct loop *loop;
    struct store *store;
    struct http_server *server;
    struct api *api;
    char directory[32];
    bool ready;
    bool answer_later; /* asks are not answered at once */
    struct asked asked;
    size_t waivers_changed;
};

int api_setup(void **state);
int api_setup_without_token(void **state);
int api_teardown(void **state);
#define API_TEST(name) cmocka_unit_test_setup_teardown(name, api_setup, api_teardown)

enum { OVER_TCP, OVER_UNIX };
struct sent {
    int way;
    const char *method; /* NULL: GET */
    const char *path;
    const char *headers; /* whole lines, may be NULL */
    const char *body;    /* may be NULL; sent as application/json unless headers name a type */
};
void write_request(const struct sent *sent, struct text *to);
/* Sends and appends the whole answer. Returns its status. */
int exchange(struct fixture *f, const struct sent *sent, struct text *answer);
/* Over the unix socket: checks the status and gives the JSON of the answer. Returns new. */
struct json *fetch(struct fixture *f, int status, const struct sent *sent);
struct json *get(struct fixture *f, const char *path);
/* The same for refusals: checks status, kind and a part of message or hint. */
void check_refused(struct fixture *f, const struct sent *sent, int status, const char *words);

/* Records a failing verdict of registry/repository:tag, with a quarantine plan in this state.
 * Returns the plan's id. */
int64_t record_verdict(struct fixture *f, const char *repository, const char *tag,
                       enum plan_state state);
void record_letter(struct fixture *f, const char *reason);

#endif
