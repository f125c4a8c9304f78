/* Back-test: so many images judged again by twenty rules, on one thread and without a network. From
 * facts in memory (what the rules cost) and from facts as the store has packed them (what a
 * back-test costs). usage: bench_policy IMAGES */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "regwarden/clock.h"
#include "regwarden/facts_files.h"
#include "regwarden/loop.h"
#include "regwarden/policy.h"
#include "regwarden/store.h"
#include "regwarden/text.h"

#include "bench_image.h"

enum { RULES = 20, DISTINCT = 500 };

struct sample {
    struct digest digest;
    struct facts *facts;
    struct text packed;
};

static struct sample samples[DISTINCT];

static void die_on(const char *what, const struct error *error)
{
    fprintf(stderr, "bench_policy: %s: %s\n", what, error->text);
    exit(1);
}

static void add_rule(struct text *to, size_t number)
{
    const char *at = rule_example(rule_at(number % rule_count()));
    const char *lead = "  - ";

    while (*at) {
        size_t length = strcspn(at, "\n");

        if (strncmp(at, "id:", 3) != 0)
            text_format(to, "%s%.*s\n", lead, (int)length, at);
        at += length + (at[length] == '\n');
        lead = "    ";
    }
    text_format(to, "    id: rule-%zu\n", number);
}

/* Every rule there is, as its own help shows it, and the first ones once more. */
static struct policy_set *make_policies(void)
{
    AUTO_TEXT struct text text = {0};
    struct policy_source source = {.name = "bench"};
    struct policy_set *policies = NULL;
    struct error error = {0};

    text_add(&text, "policy: bench\nrules:\n");
    for (size_t i = 0; i < RULES; i++)
        add_rule(&text, i);
    source.bytes = text_data(&text);
    source.size = text.length;
    if (policy_set_compile(&source, 1, NULL, NULL, &policies, &error) < 0)
        die_on("policy", &error);
    return policies;
}

static void judge(const struct policy_set *policies, const struct facts *facts,
                  const struct digest *digest, size_t *findings)
{
    struct placement placement = {.registry = "main",
                                  .repository = "team/app",
                                  .tag = "v1",
                                  .digest = *digest,
                                  .platform = "linux/amd64"};
    struct verdict verdict = {0};

    policy_judge(policies, facts, &placement, 1790000000000, &verdict);
    *findings += verdict.findings.count;
    verdict_release(&verdict);
}

/* --- packed by the store itself --- */

struct packing {
    bool done;
    struct error error;
};

static void packed(void *argument, const struct error *error)
{
    struct packing *packing = argument;

    packing->done = true;
    if (error)
        packing->error = *error;
}

static bool is_done(void *argument)
{
    return ((struct packing *)argument)->done;
}

static void pack(struct loop *loop, struct store *store)
{
    struct store_image images[DISTINCT];
    struct store_record record = {.registry = "main",
                                  .repository = "team/app",
                                  .tag = "v1",
                                  .digest = samples[0].digest,
                                  .media_type = MEDIA_TYPE_OCI_MANIFEST,
                                  .images = images,
                                  .image_count = DISTINCT};
    struct packing packing = {0};

    for (size_t i = 0; i < DISTINCT; i++)
        images[i] = (struct store_image){.digest = samples[i].digest,
                                         .facts = samples[i].facts,
                                         .ret_packed = &samples[i].packed};
    store_record_verdict(store, &record, packed, &packing);
    loop_run_until(loop, is_done, &packing, 60000);
    if (!packing.done || packing.error.kind != FAILURE_NONE)
        die_on("store", &packing.error);
}

struct scratch { /* a store of its own, removed at the end */
    char directory[32];
    struct loop *loop;
    struct store *store;
};

static void scratch_open(struct scratch *scratch)
{
    AUTO_FREE char *url = NULL;
    struct error error = {0};

    snprintf(scratch->directory, sizeof(scratch->directory), "/tmp/bench-policy-XXXXXX");
    if (!mkdtemp(scratch->directory) || loop_new(&scratch->loop, &error) < 0)
        die_on("set-up", &error);
    url = text_new("sqlite:%s/store.db", scratch->directory);
    if (store_open(scratch->loop, url, &scratch->store, &error) < 0)
        die_on("store", &error);
}

static void scratch_close(struct scratch *scratch)
{
    static const char *const files[] = {"store.db", "store.db-wal", "store.db-shm"};

    store_close(scratch->store);
    loop_free(scratch->loop);
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        AUTO_FREE char *path = text_new("%s/%s", scratch->directory, files[i]);

        unlink(path);
    }
    rmdir(scratch->directory);
}

/* --- with what layers hold --- */

static struct json *package_json(long number)
{
    struct json *json = json_new_object();
    AUTO_FREE char *name = text_new("package-%ld", number);

    json_set_string(json, "manager", "dpkg");
    json_set_string(json, "name", name);
    json_set_string(json, "version", "1.2.3-4+deb12u1");
    json_set_string(json, "path", "var/lib/dpkg/status");
    json_set_integer(json, "layer", 0);
    return json;
}

static struct json *hit_json(long number)
{
    struct json *json = json_new_object();
    AUTO_FREE char *path = text_new("usr/share/doc/package-%ld", number);

    json_set_string(json, "kind", "documentation");
    json_set_string(json, "what", "documentation");
    json_set_string(json, "path", path);
    json_set_integer(json, "files", 3);
    json_set_integer(json, "bytes", 4000);
    json_set_integer(json, "layer", 0);
    return json;
}

/* As many as images of a small distribution have. */
static void add_files(struct facts *facts)
{
    enum { PACKAGES = 90, HITS = 25 };
    AUTO_JSON struct json *json = json_new_object();
    struct json *packages = json_new_array(), *hits = json_new_array();
    struct facts_files *files;
    struct error error = {0};

    for (long i = 0; i < PACKAGES; i++)
        json_append_take(packages, package_json(i));
    for (long i = 0; i < HITS; i++)
        json_append_take(hits, hit_json(i));
    json_set_take(json, "packages", packages);
    json_set_take(json, "hits", hits);
    if (facts_files_from_json(json, facts->manifest->layer_count, &files, &error) < 0)
        die_on("files", &error);
    facts_add_files_take(facts, files);
}

/* --- --- */

static void report(const char *what, long count, int64_t ms, size_t findings)
{
    printf("%-32s %8.0f images/s, %ld in %.1f s (%.1f findings each)\n", what,
           (double)count * 1000.0 / (double)(ms ? ms : 1), count, (double)ms / 1000.0,
           (double)findings / (double)count);
}

static void judge_facts(const char *what, const struct policy_set *policies, long count)
{
    int64_t start = clock_steady_ms();
    size_t findings = 0;

    for (long i = 0; i < count; i++)
        judge(policies, samples[i % DISTINCT].facts, &samples[i % DISTINCT].digest, &findings);
    report(what, count, clock_steady_ms() - start, findings);
}

static void judge_packed(const char *what, const struct policy_set *policies, struct store *store,
                         long count)
{
    int64_t start = clock_steady_ms();
    size_t findings = 0;

    for (long i = 0; i < count; i++) {
        const struct sample *sample = &samples[i % DISTINCT];
        AUTO_FACTS struct facts *facts = NULL;
        struct error error = {0};

        if (store_unpack_facts(store, sample->packed.data, sample->packed.length, &facts, &error) <
            0)
            die_on("facts", &error);
        judge(policies, facts, &sample->digest, &findings);
    }
    report(what, count, clock_steady_ms() - start, findings);
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 100000;
    struct policy_set *policies = make_policies();
    struct scratch scratch = {.directory = ""};

    for (long i = 0; i < DISTINCT; i++) {
        struct bench_image image;

        bench_image_init(&image, i);
        samples[i].digest = image.manifest_digest;
        samples[i].facts = bench_image_facts(&image);
        bench_image_release(&image);
    }
    scratch_open(&scratch);
    pack(scratch.loop, scratch.store);
    judge_facts("facts in memory", policies, count);
    judge_packed("facts as the store packs them", policies, scratch.store, count);
    for (size_t i = 0; i < DISTINCT; i++) {
        add_files(samples[i].facts);
        text_clear(&samples[i].packed);
    }
    pack(scratch.loop, scratch.store);
    judge_facts("with files, in memory", policies, count);
    judge_packed("with files, as packed", policies, scratch.store, count);
    scratch_close(&scratch);
    policy_set_free(policies);
    for (size_t i = 0; i < DISTINCT; i++) {
        facts_free(samples[i].facts);
        text_release(&samples[i].packed);
    }
    return 0;
}
