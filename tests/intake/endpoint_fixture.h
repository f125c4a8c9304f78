/* An intake behind a real HTTP server on loopback, with three hooks: "open" (no secret), "safe"
 * (Authorization) and "key" (X-Api-Key, dialect harbor), and the fake store. */
#ifndef TEST_ENDPOINT_FIXTURE_H
#define TEST_ENDPOINT_FIXTURE_H

#include "fake_store.h"
#include "raw_client.h"

#include "regwarden/http_server.h"
#include "regwarden/intake.h"

#define DIGEST_A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PUSH_IN(repository)                                                       \
    "{\"action\":\"push\",\"target\":{\"mediaType\":"                             \
    "\"application/vnd.oci.image.manifest.v1+json\",\"repository\":\"" repository \
    "\",\"tag\":\"v1\",\"digest\":\"" DIGEST_A "\"}}"
#define PUSH "{\"events\":[" PUSH_IN("team/app") "]}"
#define PULL "{\"events\":[{\"action\":\"pull\"}]}"
#define SECRET "s3cr3t:value"

struct fixture {
    struct loop *loop;
    struct http_server *server;
    struct intake *intake;
    struct config config;
    struct config_registry registries[3];
    char directory[32];
    char *secret_path;
    size_t accepted;  /* events handed over */
    char changed[64]; /* registry whose instance changed */
    size_t changed_count;
    size_t not_ours;
};

int endpoint_setup(void **state);
int endpoint_teardown(void **state);
#define ENDPOINT_TEST(name) cmocka_unit_test_setup_teardown(name, endpoint_setup, endpoint_teardown)

struct sent {
    const char *method; /* NULL: POST */
    const char *path;
    const char *headers; /* whole lines, may be NULL */
    const char *body;    /* may be NULL */
    size_t size;         /* 0: strlen(body) */
};

void write_request(const struct sent *sent, struct text *to);
/* Sends and appends the whole answer. Returns its status. */
int exchange(struct fixture *f, const struct sent *sent, struct text *answer);
int status_of(struct fixture *f, const struct sent *sent);
int post(struct fixture *f, const char *path, const char *body);
struct intake_counters counters_of(const struct fixture *f);

#endif
