/* A registry client against a stub (or any other registry), and the results of its operations. */
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include "regwarden/loop.h"
#include "regwarden/registry.h"

#include "stub_process.h"
#include "tuning.h"

struct client {
    struct stub stub;
    struct loop *loop;
    struct config_registry settings;
    struct registry_tuning tuning;
    struct registry *registry;
    char *password_path;
};

/* Short waits, few pages: what tests want. */
extern const struct registry_tuning client_tuning;

struct client_options {
    bool with_password; /* the stub's user */
    const char *password;
    const char *token_realm;
    const char *url;     /* NULL: a stub of the scenario */
    bool distrust;       /* an https stub's authority is not made known */
    bool find_type;      /* type "auto"; else "oci", which asks nothing */
    int64_t concurrency; /* 0: 4 */
    int64_t timeout_ms;  /* 0: 2000 */
    const struct registry_tuning *tuning;
};
void client_open(struct client *client, const char *scenario, const struct client_options *options);
void client_close(struct client *client);

/* Everything that the callbacks brought. */
struct result {
    unsigned calls;
    bool done; /* an answer without `more` came */
    struct error error;
    char *bytes;
    size_t size;
    char *media_type;
    struct digest digest;
    struct text_list names;
    bool mounted;
};
void result_take(void *result, const struct registry_answer *answer); /* a registry_done_f */
void result_release(struct result *result);
#define AUTO_RESULT AUTO(result_release)

/* Runs the loop until the result is done; the test fails after 20 s. */
void client_wait(struct client *client, struct result *result);
void client_run_for(struct client *client, int64_t ms);

/* One operation, waited for. */
void client_fetch(struct client *client, const char *reference, struct result *ret);
void client_fetch_config(struct client *client, struct result *ret);

void expect_failure(const struct result *result, enum failure kind, const char *part);
void expect_success(const struct result *result);
void expect_digest(const struct digest *digest, const char *text);

#endif
