/* A registry in memory with evidence beside its images, and the gathering of it. */
#ifndef TEST_REGISTRY_EVIDENCE_H
#define TEST_REGISTRY_EVIDENCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "regwarden/gather.h"
#include "regwarden/loop.h"
#include "regwarden/provenance.h"
#include "regwarden/vulnerabilities.h"

#define STATEMENT_TYPE "application/vnd.in-toto+json"
#define SLSA "https://slsa.dev/provenance/v0.2"
#define SPDX "https://spdx.dev/Document"
#define NAMES_KEY "vnd.docker.reference.digest"

enum { OBJECTS_MAX = 400 };

struct object {
    struct digest digest;
    char *bytes;
    char *media_type;
    char *tag; /* NULL */
    struct digest subject;
    char *artifact_type; /* in the list of referrers; NULL: left out */
};

struct fixture {
    struct loop *loop;
    struct image_source source;
    struct gather_options options;
    struct object objects[OBJECTS_MAX];
    size_t count;
    const char *broken; /* digest, tag or "referrers" for which `error` comes */
    struct error error;
    size_t asked; /* requests that were made */
    size_t wrong_lists;
    struct object reports[4]; /* of the registry's scanner, by subject */
    size_t report_count;
    struct facts *known;
    struct gathered gathered;
    bool done;
};

struct artifact {
    const struct object *layers[3];
    const char *predicates[3]; /* in the annotations; NULL: not said */
    const char *type;          /* artifactType; NULL none */
    const struct object *subject;
};

struct object *add(struct fixture *fixture, char *bytes, const char *media_type);
/* What the registry's scanner says of it. Takes the bytes. */
void add_report(struct fixture *fixture, const struct object *about, char *bytes);
char *descriptor(const struct object *object, const char *more);
struct object *add_image(struct fixture *fixture, const char *architecture);
struct object *add_statement(struct fixture *fixture, const char *predicate,
                             const struct object *about, const char *builder);
struct object *add_artifact(struct fixture *fixture, const struct artifact *artifact);
struct object *add_index(struct fixture *fixture, const struct object *first,
                         const struct object *second, const struct object *attestation,
                         const char *key);
void set_tag(struct object *object, const struct object *about, const char *suffix);
uint64_t start(struct fixture *fixture, const struct object *object);
struct facts *gather(struct fixture *fixture, const struct object *object);
int set_up(void **state);
int tear_down(void **state);

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
