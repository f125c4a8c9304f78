/* Sets of policies: from the bytes of files to something that engine.c can judge by. */
#include "compiled.h"
#include "faults.h"
#include "policy_file.h"

#include <stdlib.h>
#include <string.h>

#include "regwarden/crypto.h"
#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { SUM_SIZE = 32 };

static void book_unref(struct policy_book *book)
{
    if (!book || atomic_fetch_sub(&book->references, 1) != 1)
        return;
    for (size_t i = 0; i < book->count; i++)
        policy_release(&book->policies[i]);
    free(book->policies);
    waiver_list_release(&book->waivers);
    free(book);
}

void policy_set_free(struct policy_set *set)
{
    if (!set)
        return;
    book_unref(set->book);
    waiver_list_release(&set->waivers);
    free(set);
}

static int compare_sums(const void *a, const void *b)
{
    return memcmp(a, b, SUM_SIZE);
}

/* Hex SHA-256 over sums in sorted order: the order of files does not matter. */
static void hash_sums(uint8_t (*sums)[SUM_SIZE], size_t count, char ret[static 65])
{
    uint8_t sum[HASH_SIZE_MAX];

    if (count > 1)
        qsort(sums, count, SUM_SIZE, compare_sums);
    crypto_hash(HASH_SHA256, sums, count * SUM_SIZE, sum);
    crypto_hex(sum, SUM_SIZE, ret);
}

static void hash_sources(const struct policy_source *sources, size_t count, char ret[static 65])
{
    AUTO_FREE uint8_t(*sums)[SUM_SIZE] = memory_new_array(count, SUM_SIZE);

    for (size_t i = 0; i < count; i++) {
        uint8_t sum[HASH_SIZE_MAX];

        crypto_hash(HASH_SHA256, sources[i].bytes, sources[i].size, sum);
        memcpy(sums[i], sum, SUM_SIZE);
    }
    hash_sums(sums, count, ret);
}

static void hash_waiver(const struct waiver *waiver, uint8_t ret[static SUM_SIZE])
{
    AUTO_JSON struct json *json = waiver_to_json(waiver);
    AUTO_TEXT struct text text = {0};
    uint8_t sum[HASH_SIZE_MAX];

    json_write(json, JSON_SORTED, &text);
    crypto_hash(HASH_SHA256, text_data(&text), text.length, sum);
    memcpy(ret, sum, SUM_SIZE);
}

/* The book's revision joined with what differs from it now: waivers of the ledger that hold, and
 * waivers of the files that do not hold any more. */
static void hash_waivers(const struct policy_set *set, const struct waiver_view *ledger,
                         char ret[static 65])
{
    const struct waiver_list *files = &set->book->waivers;
    AUTO_FREE uint8_t(*sums)[SUM_SIZE] =
        memory_new_array(files->count + ledger->count + 2, SUM_SIZE);
    size_t count = 0;

    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->items[i].expires_ms > ledger->now_ms)
            hash_waiver(&ledger->items[i], sums[count++]);
    for (size_t i = 0; i < files->count; i++)
        if (files->items[i].waiver.expires_ms <= ledger->now_ms)
            hash_waiver(&files->items[i].waiver, sums[count++]);
    if (ledger->also && !crypto_from_hex(ledger->also, SUM_SIZE, sums[count++]))
        abort();
    memcpy(ret, set->book->revision, sizeof(set->book->revision));
    if (count == 0)
        return;
    if (!crypto_from_hex(set->book->revision, SUM_SIZE, sums[count++]))
        abort();
    hash_sums(sums, count, ret);
}

static void refuse_same_name(const struct yaml_document *document, const struct policy_book *book,
                             const struct policy *policy, struct faults *faults)
{
    for (size_t i = 0; i < book->count; i++) {
        struct error err = {0};

        if (!policy->name || !text_equal(book->policies[i].name, policy->name))
            continue;
        yaml_error(document, faults_place(document->root, "policy"), &err,
                   "there are two policies of this name");
        faults_add(faults, &err);
        return;
    }
}

static void refuse_same_waiver(const struct yaml_document *document, const struct waiver_list *list,
                               size_t first, struct faults *faults)
{
    for (size_t i = first; i < list->count; i++) {
        struct error err = {0};
        size_t other = 0;

        while (other < i && !text_equal(list->items[other].waiver.id, list->items[i].waiver.id))
            other++;
        if (other == i)
            continue;
        yaml_error(document, yaml_get(document->root, "waivers"), &err,
                   "there are two waivers with the id '%s'", list->items[i].waiver.id);
        faults_add(faults, &err);
    }
}

static void compile_policy(const struct yaml_document *document, struct policy_book *book,
                           struct faults *faults)
{
    struct policy policy = {0};

    policy_file_read(document, faults, &policy);
    refuse_same_name(document, book, &policy, faults);
    book->policies =
        memory_grow(book->policies, book->count, &book->capacity, sizeof(*book->policies));
    book->policies[book->count++] = policy;
}

static void compile_document(const struct yaml_document *document, struct policy_book *book,
                             struct faults *faults)
{
    const struct yaml_node *root = document->root;
    struct error err = {0};

    if (yaml_get(root, "waivers")) {
        size_t first = book->waivers.count;

        waiver_file_read(document, faults, &book->waivers);
        refuse_same_waiver(document, &book->waivers, first, faults);
    } else if (yaml_get(root, "examples")) {
        yaml_error(document, root, &err, "these are examples of a policy, not a policy");
        error_hint(&err, "`regwarden policy test` runs them");
        faults_add(faults, &err);
    } else if (root->kind == YAML_KIND_MAP) {
        compile_policy(document, book, faults);
    } else {
        yaml_error(document, root, &err, "a policy file is a map with the key 'policy'");
        faults_add(faults, &err);
    }
}

static void compile_source(const struct policy_source *source, struct policy_book *book,
                           struct faults *faults)
{
    AUTO_YAML struct yaml_document *document = NULL;
    struct error err = {0};

    if (yaml_parse(source->name, source->bytes, source->size, &document, &err) < 0)
        faults_add(faults, &err);
    else
        compile_document(document, book, faults);
}

static struct policy_set *new_set(struct policy_book *book)
{
    struct policy_set *set = memory_new(sizeof(*set));

    set->book = book;
    for (size_t i = 0; i < book->waivers.count; i++)
        waiver_list_add(&set->waivers, &book->waivers.items[i].waiver);
    memcpy(set->revision, book->revision, sizeof(set->revision));
    return set;
}

/* What is asked of every layer is bounded for all policies together. */
static void refuse_many_probes(struct policy_book *book, struct faults *faults)
{
    const struct policy_set set = {.book = book};
    AUTO_PROBES struct scan_probes probes = {0};
    struct error err = {0};

    policy_set_probes(&set, NULL, &probes);
    if (probes.count <= SCAN_PROBES_MAX)
        return;
    error_set(&err, FAILURE_INPUT, "the policies ask layers for %zu patterns of files; %d can be",
              probes.count, (int)SCAN_PROBES_MAX);
    error_hint(&err, "fewer and wider patterns in `with` of the rule files do the same");
    faults_add(faults, &err);
}

int policy_set_compile(const struct policy_source *sources, size_t count, policy_fault_f *report,
                       void *argument, struct policy_set **ret, struct error *err)
{
    struct policy_book *book = memory_new(sizeof(*book));
    struct faults faults = {.report = report, .argument = argument};

    atomic_init(&book->references, 1);
    for (size_t i = 0; i < count; i++)
        compile_source(&sources[i], book, &faults);
    refuse_many_probes(book, &faults);
    if (faults.count > 0) {
        book_unref(book);
        if (err)
            *err = faults.first;
        return faults.first.kind;
    }
    hash_sources(sources, count, book->revision);
    *ret = new_set(book);
    waiver_list_sort(&(*ret)->waivers);
    return 0;
}

int policy_set_with_waivers(const struct policy_set *set, const struct waiver_view *ledger,
                            struct policy_set **ret, struct error *err)
{
    struct policy_set *copy;

    for (size_t i = 0; i < ledger->count; i++) {
        int rc = waiver_check(&ledger->items[i], err);

        if (rc < 0)
            return rc;
    }
    atomic_fetch_add(&set->book->references, 1);
    copy = new_set(set->book);
    for (size_t i = 0; i < ledger->count; i++)
        waiver_list_add(&copy->waivers, &ledger->items[i]);
    waiver_list_sort(&copy->waivers);
    hash_waivers(set, ledger, copy->revision);
    *ret = copy;
    return 0;
}

const char *policy_set_revision(const struct policy_set *set)
{
    return set->revision;
}

size_t policy_set_count(const struct policy_set *set)
{
    return set->book->count;
}

bool policy_set_has_rule(const struct policy_set *set, const char *name)
{
    for (size_t i = 0; i < set->book->count; i++) {
        const struct policy *policy = &set->book->policies[i];

        for (size_t k = 0; k < policy->rule_count; k++)
            if (text_equal(rule_name(policy->rules[k].type), name))
                return true;
    }
    return false;
}

size_t policy_set_waiver_count(const struct policy_set *set)
{
    return set->waivers.count;
}

const struct waiver *policy_set_waiver(const struct policy_set *set, size_t index)
{
    return &set->waivers.items[index].waiver;
}
