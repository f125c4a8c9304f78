/* The catalogue of known bases as the daemon keeps it: loaded at start, followed by walks and by
 * what is pushed, saved after each walk, and applied to facts before they are judged.
 *
 * A changed catalogue is part of the policies' revision: what was judged by another one is judged
 * again, a while after the change, so that many bases pushed in a row cost one round. */
#include "bases.h"

#include "asks.h"
#include "regwarden/clock.h"
#include "regwarden/crypto.h"
#include "regwarden/log.h"

enum { SETTLE_MS = 30000, RETRY_MS = 30000, DAY_MS = 24 * 60 * 60 * 1000 };

struct base_ask { /* somebody waits until the walk has ended */
    struct ask ask;
    struct base_ask *next;
    char *reference; /* NULL: nothing is waited for but the store */
    char *by;
    struct json *body;
};

struct bases {
    struct daemon *daemon;
    struct base_catalogue *catalogue;
    struct text_list sources; /* of operators, beside those of the configuration */
    struct base_walk *walk;
    struct timer *refresh;
    struct timer *settle;
    struct base_ask *asks; /* that wait for the walk's end */
    char applied[65];      /* revision that the policies have */
    int64_t applied_ms;    /* steady */
    int64_t refreshed_ms;
    bool stopped;
};

/* --- what is followed --- */

typedef void pattern_f(struct bases *bases, const struct base_pattern *pattern, void *argument);

static void walk_pattern(struct bases *bases, const struct base_pattern *pattern, void *argument)
{
    (void)argument;
    base_walk_add(bases->walk, pattern);
}

static void each_pattern(struct bases *bases, pattern_f *call, void *argument)
{
    const struct text_list *lists[] = {&bases->daemon->config->bases, &bases->sources};

    for (size_t l = 0; l < ARRAY_COUNT(lists); l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            AUTO_BASE_PATTERN struct base_pattern pattern = {0};
            struct error error;

            if (base_pattern_read(bases->daemon, lists[l]->items[i], &pattern, &error) == 0)
                call(bases, &pattern, argument);
            else if (call == walk_pattern) /* not at each push */
                log_warning(NULL, "base %s is not followed: %s", lists[l]->items[i], error.text);
        }
    }
}

void bases_refresh(struct bases *bases)
{
    if (bases->stopped)
        return;
    each_pattern(bases, walk_pattern, NULL);
    if (bases->daemon->config->base_refresh_ms > 0)
        timer_arm(bases->refresh, bases->daemon->config->base_refresh_ms);
}

static void refresh_due(void *argument)
{
    bases_refresh(argument);
}

struct question {
    const struct daemon_registry *registry;
    const struct event *event;
    bool matches;
};

static void ask_pattern(struct bases *bases, const struct base_pattern *pattern, void *argument)
{
    struct question *question = argument;

    (void)bases;
    question->matches |= base_pattern_matches(pattern, question->registry,
                                              question->event->repository, question->event->tag);
}

void bases_saw_push(struct bases *bases, const struct event *event)
{
    struct daemon_registry *registry = daemon_find_registry(bases->daemon, event->registry);
    struct question question = {.registry = registry, .event = event};

    if (!registry || !event->tag || bases->stopped)
        return;
    each_pattern(bases, ask_pattern, &question);
    if (question.matches)
        base_walk_add_tag(bases->walk, registry, event->repository, event->tag);
}

/* --- what it is for --- */

void bases_apply_to(const struct bases *bases, struct facts *facts)
{
    bases_apply(bases->catalogue, facts);
}

static bool has_superseded(const struct base_catalogue *catalogue)
{
    for (size_t i = 0; i < base_catalogue_count(catalogue); i++) {
        const struct base_image *image = base_catalogue_at(catalogue, i);

        for (size_t k = 0; k < image->name_count; k++)
            if (image->names[k].superseded_ms)
                return true;
    }
    return false;
}

/* Where a rule asks how long ago a base was superseded, each day may change the answer. */
const char *bases_revision(struct bases *bases, const struct policy_set *policies)
{
    uint8_t sum[HASH_SIZE_MAX];

    if (base_catalogue_count(bases->catalogue) == 0)
        return NULL;
    if (!policy_set_has_rule(policies, "base-fresh") || !has_superseded(bases->catalogue)) {
        snprintf(bases->applied, sizeof bases->applied, "%s",
                 base_catalogue_revision(bases->catalogue));
    } else {
        AUTO_FREE char *text = text_new("%s %lld", base_catalogue_revision(bases->catalogue),
                                        (long long)(clock_wall_ms() / DAY_MS));

        crypto_hash(HASH_SHA256, text, strlen(text), sum);
        crypto_hex(sum, 32, bases->applied);
    }
    bases->applied_ms = clock_steady_ms();
    return bases->applied;
}

static void settled(void *argument)
{
    struct bases *bases = argument;

    if (!bases->daemon->closing)
        daemon_reload_waivers(bases->daemon); /* joins the revision, and judges again */
}

static void judge_again(struct bases *bases)
{
    int64_t pause_ms = daemon_pause_ms(bases->daemon, SETTLE_MS);
    int64_t since_ms = clock_steady_ms() - bases->applied_ms;
    bool soon = bases->applied_ms > 0 && since_ms < pause_ms;

    timer_arm(bases->settle, soon ? pause_ms - since_ms : 0);
}

/* --- saving --- */

static void saved(void *argument, const struct error *error)
{
    struct bases *bases = argument;

    if (error)
        log_error(NULL, "bases could not be saved: %s; they are looked at again at the next start",
                  error->text);
    else if (!bases->stopped)
        judge_again(bases);
}

static void save_changed(struct bases *bases)
{
    size_t count = base_catalogue_count(bases->catalogue);
    AUTO_FREE const struct base_image **changed =
        memory_new_array(count + 1, sizeof(struct base_image *)); /* and a NULL */
    struct bases_change change = {.saved = changed};
    size_t position = 0;

    while ((changed[change.saved_count] = base_catalogue_next_changed(bases->catalogue, &position)))
        change.saved_count++;
    if (change.saved_count > 0)
        store_change_bases(bases->daemon->store, &change, saved, bases);
}

/* --- what operators ask --- */

static void ask_release(struct ask *ask)
{
    struct base_ask *own = (struct base_ask *)ask;

    free(own->reference);
    free(own->by);
    json_release(own->body);
}

static struct base_ask *ask_new(struct bases *bases, uint64_t request)
{
    struct base_ask *ask = memory_new(sizeof *ask);

    ask->ask.release = ask_release;
    ask_begin(&ask->ask, bases->daemon, request);
    return ask;
}

/* "host/repository:tag" globs of the pattern, one for each host. */
static void name_globs(const struct base_pattern *pattern, struct text_list *ret)
{
    AUTO_TEXT_LIST struct text_list hosts = {0};

    base_hosts(pattern->registry, &hosts);
    for (size_t i = 0; i < hosts.count; i++) {
        AUTO_FREE char *glob =
            text_new("%s/%s:%s", hosts.items[i], pattern->repository, pattern->tag);
        char *full = base_name_full(glob);

        if (full)
            text_list_add_take(ret, full);
    }
}

static size_t count_names(const struct bases *bases, const struct base_pattern *pattern)
{
    AUTO_TEXT_LIST struct text_list globs = {0};
    size_t count = 0;

    name_globs(pattern, &globs);
    for (size_t i = 0; i < base_catalogue_count(bases->catalogue); i++) {
        const struct base_image *image = base_catalogue_at(bases->catalogue, i);

        for (size_t k = 0; k < image->name_count; k++)
            count += globs.count > 0 && text_glob_match(globs.items[0], image->names[k].name);
    }
    return count;
}

static void source_saved(void *argument, const struct error *error)
{
    struct base_ask *ask = argument;
    bool added = ask->reference;

    if (error)
        ask_fail(&ask->ask, error);
    else
        ask_answer(&ask->ask, added ? 201 : 200, ask->body);
}

static void finish_add(struct bases *bases, struct base_ask *ask, const struct error *failure)
{
    AUTO_BASE_PATTERN struct base_pattern pattern = {0};
    struct bases_change change = {.add_source = ask->reference, .by = ask->by};
    struct error error;
    size_t count;

    if (base_pattern_read(bases->daemon, ask->reference, &pattern, &error) < 0) {
        ask_fail(&ask->ask, &error);
        return;
    }
    count = count_names(bases, &pattern);
    if (count == 0 && (failure || base_pattern_is_exact(&pattern))) {
        error_set(&error, FAILURE_ABSENT, "there is no such image");
        ask_fail(&ask->ask, failure ? failure : &error);
        return;
    }
    ask->body = json_new_object();
    json_set_string(ask->body, "reference", ask->reference);
    json_set_integer(ask->body, "images", (int64_t)count);
    if (!text_list_has(&bases->sources, ask->reference))
        text_list_add(&bases->sources, ask->reference);
    store_change_bases(bases->daemon->store, &change, source_saved, ask);
}

static void walk_ended(void *argument, const struct error *error)
{
    struct bases *bases = argument;
    struct base_ask *asks = TAKE(bases->asks);

    bases->refreshed_ms = clock_wall_ms();
    save_changed(bases);
    for (struct base_ask *ask = asks, *next; ask; ask = next) {
        next = ask->next;
        finish_add(bases, ask, error);
    }
}

void bases_add(struct bases *bases, uint64_t request, const char *reference, const char *by)
{
    AUTO_BASE_PATTERN struct base_pattern pattern = {0};
    struct base_ask *ask = ask_new(bases, request);
    struct error error;

    if (ask_is_too_late(&ask->ask))
        return;
    if (base_pattern_read(bases->daemon, reference, &pattern, &error) < 0) {
        ask_fail(&ask->ask, &error);
        return;
    }
    ask->reference = memory_copy_text(reference);
    ask->by = memory_copy_text(by);
    ask->next = bases->asks;
    bases->asks = ask;
    base_walk_add(bases->walk, &pattern);
}

static bool drop_source(struct bases *bases, const char *reference)
{
    size_t kept = 0;
    size_t count = bases->sources.count;

    for (size_t i = 0; i < count; i++) {
        if (text_equal(bases->sources.items[i], reference))
            free(bases->sources.items[i]);
        else
            bases->sources.items[kept++] = bases->sources.items[i];
    }
    bases->sources.count = kept;
    return kept < count;
}

static void forget(struct bases *bases, const struct base_pattern *pattern, const char *reference,
                   struct base_ask *ask)
{
    AUTO_TEXT_LIST struct text_list globs = {0};
    AUTO_FREE struct digest *gone =
        memory_new_array(base_catalogue_count(bases->catalogue), sizeof *gone);
    struct bases_change change = {.gone = gone, .remove_source = reference};
    size_t names = 0;

    name_globs(pattern, &globs);
    for (size_t i = 0; i < globs.count; i++) {
        size_t count = 0;

        names += base_catalogue_forget(bases->catalogue, globs.items[i], gone + change.gone_count,
                                       &count);
        change.gone_count += count;
    }
    ask->body = json_new_object();
    json_set_string(ask->body, "reference", reference);
    json_set_integer(ask->body, "images", (int64_t)names);
    save_changed(bases);
    store_change_bases(bases->daemon->store, &change, source_saved, ask);
    judge_again(bases);
}

void bases_remove(struct bases *bases, uint64_t request, const char *reference)
{
    AUTO_BASE_PATTERN struct base_pattern pattern = {0};
    struct base_ask *ask = ask_new(bases, request);
    struct error error;

    if (ask_is_too_late(&ask->ask))
        return;
    if (base_pattern_read(bases->daemon, reference, &pattern, &error) < 0) {
        ask_fail(&ask->ask, &error);
        return;
    }
    if (text_list_has(&bases->daemon->config->bases, reference)) {
        error_set(&error, FAILURE_INPUT, "this base is followed by the configuration");
        error_hint(&error, "Take it out of `bases:` there, and reload.");
        ask_fail(&ask->ask, &error);
        return;
    }
    if (!drop_source(bases, reference) && count_names(bases, &pattern) == 0) {
        error_set(&error, FAILURE_ABSENT, "there is no such base");
        ask_fail(&ask->ask, &error);
        return;
    }
    forget(bases, &pattern, reference, ask);
}

struct json *bases_document(const struct bases *bases)
{
    struct json *json = base_catalogue_to_json(bases->catalogue);
    struct json *following = json_new_array();
    const struct text_list *lists[] = {&bases->daemon->config->bases, &bases->sources};
    char at[CLOCK_TEXT_SIZE];

    for (size_t l = 0; l < ARRAY_COUNT(lists); l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            struct json *item = json_new_object();

            json_set_string(item, "reference", lists[l]->items[i]);
            json_set_string(item, "by", l == 0 ? "configuration" : "operator");
            json_append_take(following, item);
        }
    }
    json_set_take(json, "following", following);
    if (bases->refreshed_ms)
        json_set_string(json, "refreshedAt", clock_format_rfc3339(bases->refreshed_ms, at));
    return json;
}

/* --- life --- */

static void loaded(void *argument, const struct error *error, struct json *json)
{
    struct bases *bases = argument;
    struct base_catalogue *catalogue = NULL;
    const struct json *sources = json_get(json, "sources");
    struct error fault = {0};

    if (bases->daemon->closing)
        return;
    if (!error && base_catalogue_from_json(json, &catalogue, &fault) < 0)
        error = &fault;
    if (error) {
        bases->daemon->start_failure = *error;
        return;
    }
    base_catalogue_free(bases->catalogue);
    bases->catalogue = catalogue;
    bases->walk = base_walk_new(&(struct base_walk_options){
        .daemon = bases->daemon, .catalogue = catalogue, .ended = walk_ended, .argument = bases});
    for (size_t i = 0; i < json_count(sources); i++)
        text_list_add(&bases->sources, json_get_string(json_at(sources, i), "reference"));
    bases->daemon->bases_known = true;
}

void bases_load(struct bases *bases)
{
    store_load_bases(bases->daemon->store, loaded, bases);
}

struct bases *bases_new(struct daemon *daemon)
{
    struct bases *bases = memory_new(sizeof *bases);

    bases->daemon = daemon;
    bases->catalogue = base_catalogue_new();
    bases->refresh = timer_new(daemon->loop, refresh_due, bases);
    bases->settle = timer_new(daemon->loop, settled, bases);
    return bases;
}

void bases_stop(struct bases *bases)
{
    struct base_ask *asks = TAKE(bases->asks);
    struct error error;

    bases->stopped = true;
    timer_disarm(bases->refresh);
    timer_disarm(bases->settle);
    if (bases->walk)
        base_walk_stop(bases->walk);
    error_set(&error, FAILURE_LATER, "the daemon is stopping");
    for (struct base_ask *ask = asks, *next; ask; ask = next) {
        next = ask->next;
        ask_fail(&ask->ask, &error);
    }
}

void bases_free(struct bases *bases)
{
    if (!bases)
        return;
    base_walk_free(bases->walk);
    base_catalogue_free(bases->catalogue);
    text_list_release(&bases->sources);
    timer_free(bases->refresh);
    timer_free(bases->settle);
    free(bases);
}
