/* The home of vectorscan (or Hyperscan: the same interface). All expressions are of a fixed length,
 * so that where a match ends tells where it begins, and the automaton stays small. */
#include "patterns.h"

#include <assert.h>
#include <hs/hs.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "regwarden/memory.h"
#include "regwarden/secret_text.h"
#include "regwarden/text.h"

/* Made once, then only read. */
static struct {
    pthread_once_t once;
    hs_database_t *database;
    unsigned *lengths; /* of each clue's matches */
    int failure;
    struct error error;
} patterns = {.once = PTHREAD_ONCE_INIT};

struct patterns_search {
    hs_scratch_t *scratch;
    struct patterns_place *places;
    size_t count;
    size_t capacity;
};

static char *expression_of(const struct secret_clue *clue)
{
    struct text text = {0};

    for (const char *at = clue->literal; *at; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                     (*at >= '0' && *at <= '9') || *at == '_' || *at == ' ';
        text_format(&text, plain ? "%c" : "\\x%02x", *at);
    }
    if (clue->follow > 0)
        text_format(&text, "[%s]{%u}", clue->set, clue->follow);
    return text_take(&text);
}

static void compile(void)
{
    AUTO_TEXT_LIST struct text_list expressions = {0};
    size_t count = secret_clue_count();
    AUTO_FREE unsigned *flags = memory_new_array(count, sizeof(*flags));
    AUTO_FREE unsigned *ids = memory_new_array(count, sizeof(*ids));
    hs_compile_error_t *fault = NULL;

    patterns.lengths = memory_new_array(count, sizeof(*patterns.lengths));
    for (size_t i = 0; i < count; i++) {
        struct secret_clue clue = secret_clue(i);
        text_list_add_take(&expressions, expression_of(&clue));
        flags[i] = HS_FLAG_DOTALL | (clue.any_case ? HS_FLAG_CASELESS : 0);
        ids[i] = (unsigned)i;
        patterns.lengths[i] = (unsigned)strlen(clue.literal) + clue.follow;
    }
    if (hs_compile_multi((const char *const *)expressions.items, flags, ids, (unsigned)count,
                         HS_MODE_BLOCK, NULL, &patterns.database, &fault) == HS_SUCCESS) {
        malloc_trim(0); /* compiling takes some megabytes, which nobody needs any more */
        return;
    }
    patterns.failure =
        error_set(&patterns.error, FAILURE_SYSTEM, "the patterns of secrets cannot be compiled: %s",
                  fault ? fault->message : "unknown error");
    hs_free_compile_error(fault);
}

int patterns_prepare(struct error *err)
{
    pthread_once(&patterns.once, compile);
    if (patterns.failure < 0 && err)
        *err = patterns.error;
    return patterns.failure;
}

struct patterns_search *patterns_search_new(void)
{
    struct patterns_search *search = memory_new(sizeof(*search));
    hs_error_t failure;

    assert(patterns.database);
    failure = hs_alloc_scratch(patterns.database, &search->scratch);
    assert(failure == HS_SUCCESS); /* else memory is short: that ends a process, as in memory.h */
    return search;
}

void patterns_search_free(struct patterns_search *search)
{
    if (!search)
        return;
    hs_free_scratch(search->scratch);
    free(search->places);
    free(search);
}

static int add_place(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                     void *argument)
{
    struct patterns_search *search = argument;

    (void)from;
    (void)flags;
    search->places =
        memory_grow(search->places, search->count, &search->capacity, sizeof(*search->places));
    search->places[search->count++] =
        (struct patterns_place){.at = (uint32_t)to - patterns.lengths[id], .clue = id};
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct patterns_place *left = a, *right = b;

    if (left->at != right->at)
        return left->at < right->at ? -1 : 1;
    return left->clue < right->clue ? -1 : left->clue > right->clue;
}

size_t patterns_find(struct patterns_search *search, const char *text, size_t size,
                     const struct patterns_place **ret)
{
    hs_error_t failure;

    assert(size <= PATTERNS_TEXT_MAX);
    search->count = 0;
    failure =
        hs_scan(patterns.database, text, (unsigned)size, 0, search->scratch, add_place, search);
    assert(failure == HS_SUCCESS);
    if (search->count > 1)
        qsort(search->places, search->count, sizeof(*search->places), compare);
    *ret = search->places;
    return search->count;
}
