/* Looking at base images in their registry: which repositories, which tags, which image. One thing
 * at a time, so that bases never stand in the way of what was pushed. What is asked, and whom,
 * comes from the configuration and from operators, never from an image; and what a tag names is
 * what the registry says, never what an event says. */
#include "bases.h"

#include "regwarden/clock.h"
#include "regwarden/log.h"
#include "regwarden/reference.h"

enum { JOBS_MAX = 20000 };

enum job_kind { JOB_REPOSITORIES, JOB_TAGS, JOB_TAG };

struct job {
    struct job *next;
    enum job_kind kind;
    struct daemon_registry *registry;
    char *repository; /* a glob for JOB_REPOSITORIES */
    char *tag;        /* a glob but for JOB_TAG */
};

struct base_walk {
    struct base_walk_options options;
    struct job *first, **last;
    size_t count;
    struct job *active;
    uint64_t listing; /* or resolving */
    uint64_t gather;
    struct timer *next; /* callbacks return before the next job begins */
    struct error failure;
    size_t left_out;
    bool running; /* something was asked for since the last end */
    bool stopped;
};

static void job_free(struct job *job)
{
    if (!job)
        return;
    free(job->repository);
    free(job->tag);
    free(job);
}

static void add_job(struct base_walk *walk, const struct job *wanted)
{
    if (walk->stopped)
        return;
    walk->running = true;
    timer_arm(walk->next, 0);
    if (walk->count >= JOBS_MAX) {
        walk->left_out++;
        return;
    }
    struct job *job = memory_new(sizeof *job);

    *job = *wanted;
    job->next = NULL;
    job->repository = memory_copy_text(wanted->repository);
    job->tag = memory_copy_text(wanted->tag);
    *walk->last = job;
    walk->last = &job->next;
    walk->count++;
}

static void failed(struct base_walk *walk, const struct error *error)
{
    AUTO_FREE char *name =
        text_new("%s/%s%s%s", walk->active->registry->settings->name, walk->active->repository,
                 walk->active->tag ? ":" : "", walk->active->tag ? walk->active->tag : "");

    if (walk->failure.kind == FAILURE_NONE)
        walk->failure = *error;
    log_warning(NULL, "base %s could not be looked at: %s", name, error->text);
}

static void job_ended(struct base_walk *walk)
{
    walk->listing = walk->gather = 0;
    job_free(TAKE(walk->active));
    timer_arm(walk->next, 0);
}

/* --- lists --- */

static void listed(void *argument, const struct registry_answer *answer)
{
    struct base_walk *walk = argument;
    const struct job *job = walk->active;
    bool tags = job->kind == JOB_TAGS;

    if (answer->error && !(tags && answer->error->kind == FAILURE_ABSENT))
        failed(walk, answer->error); /* an empty repository is no failure */
    for (size_t i = 0; answer->names && i < answer->names->count; i++) {
        const char *name = answer->names->items[i];
        struct job next = {.kind = tags ? JOB_TAG : JOB_TAGS,
                           .registry = job->registry,
                           .repository = tags ? job->repository : memory_copy_text(name),
                           .tag = tags ? memory_copy_text(name) : job->tag};

        if (tags ? tag_is_valid(name) && text_glob_match(job->tag, name)
                 : repository_is_valid(name) && text_glob_match(job->repository, name))
            add_job(walk, &next);
        free(tags ? next.tag : next.repository);
    }
    if (!answer->more || answer->error)
        job_ended(walk);
}

/* --- images --- */

static void see(struct base_walk *walk, const struct gathered *gathered,
                const struct gathered_image *image, const char *name)
{
    struct base_image *base = NULL;
    struct error error = {0};
    struct base_sighting sighting = {.name = name,
                                     .index = gathered->index ? &gathered->digest : NULL,
                                     .at_ms = clock_wall_ms()};

    if (base_image_from_facts(image->facts, &base, &error) < 0 ||
        base_catalogue_see_take(walk->options.catalogue, base, &sighting, &error) < 0)
        failed(walk, &error);
}

/* All platforms or none: an index that is known in part would not be asked for again. */
static const struct error *failure_of(const struct gathered *gathered)
{
    if (gathered->error.kind != FAILURE_NONE)
        return &gathered->error;
    for (size_t i = 0; i < gathered->image_count; i++)
        if (!gathered->images[i].facts)
            return &gathered->images[i].error;
    return NULL;
}

static void gathered_all(void *argument, struct gathered *gathered)
{
    struct base_walk *walk = argument;
    const struct job *job = walk->active;
    AUTO_TEXT_LIST struct text_list hosts = {0};
    const struct error *failure = failure_of(gathered);

    base_hosts(job->registry, &hosts);
    if (failure)
        failed(walk, failure);
    for (size_t i = 0; !failure && i < gathered->image_count; i++) {
        for (size_t k = 0; k < hosts.count; k++) {
            AUTO_FREE char *name = text_new("%s/%s:%s", hosts.items[k], job->repository, job->tag);

            see(walk, gathered, &gathered->images[i], name);
        }
    }
    job_ended(walk);
}

static struct facts *lookup(void *argument, const struct digest *digest)
{
    struct daemon *daemon = argument;

    return facts_cache_get(daemon->facts_cache, digest);
}

static void start_image(struct base_walk *walk, const struct digest *digest)
{
    struct daemon *daemon = walk->options.daemon;
    const struct job *job = walk->active;
    struct image_source source = registry_image_source(job->registry->client);
    struct gather_options options = {
        .needs = FACT_BIT(FACT_MANIFEST) | FACT_BIT(FACT_CONFIG),
        .salt = store_salt(daemon->store),
        .lookup = lookup,
        .lookup_argument = daemon,
    };
    char text[DIGEST_TEXT_SIZE];

    walk->gather = gather_start(&source, job->repository, digest_format(digest, text), &options,
                                gathered_all, walk);
}

static bool is_known(struct base_walk *walk, const struct digest *digest)
{
    const struct job *job = walk->active;
    AUTO_TEXT_LIST struct text_list hosts = {0};
    bool known = true;

    base_hosts(job->registry, &hosts);
    for (size_t k = 0; k < hosts.count; k++) {
        AUTO_FREE char *name = text_new("%s/%s:%s", hosts.items[k], job->repository, job->tag);

        known = base_catalogue_sees_again(walk->options.catalogue, name, digest, clock_wall_ms()) &&
                known;
    }
    return known;
}

/* Most tags name what they named an hour ago, and some registries count what is fetched. */
static void resolved(void *argument, const struct registry_answer *answer)
{
    struct base_walk *walk = argument;

    walk->listing = 0;
    if (!answer->error && !is_known(walk, &answer->digest)) {
        start_image(walk, &answer->digest);
        return;
    }
    if (answer->error)
        failed(walk, answer->error);
    job_ended(walk);
}

/* --- the walk --- */

static void end(struct base_walk *walk)
{
    struct error failure = walk->failure;

    if (walk->left_out > 0)
        log_warning(NULL, "more than %d bases to look at at once: %zu are left for the next time",
                    (int)JOBS_MAX, walk->left_out);
    walk->running = false;
    walk->failure = (struct error){0};
    walk->left_out = 0;
    walk->options.ended(walk->options.argument, failure.kind == FAILURE_NONE ? NULL : &failure);
}

static void start_next(void *argument)
{
    struct base_walk *walk = argument;

    if (walk->active || walk->stopped || !walk->running)
        return;
    if (!walk->first) {
        end(walk);
        return;
    }
    walk->active = walk->first;
    walk->first = walk->active->next;
    if (!walk->first)
        walk->last = &walk->first;
    walk->count--;
    switch (walk->active->kind) {
    case JOB_REPOSITORIES:
        walk->listing = registry_list_repositories(walk->active->registry->client, listed, walk);
        return;
    case JOB_TAGS:
        walk->listing = registry_list_tags(walk->active->registry->client, walk->active->repository,
                                           listed, walk);
        return;
    case JOB_TAG:
        walk->listing = registry_resolve(walk->active->registry->client, walk->active->repository,
                                         walk->active->tag, resolved, walk);
        return;
    }
}

struct base_walk *base_walk_new(const struct base_walk_options *options)
{
    struct base_walk *walk = memory_new(sizeof *walk);

    walk->options = *options;
    walk->last = &walk->first;
    walk->next = timer_new(options->daemon->loop, start_next, walk);
    return walk;
}

void base_walk_stop(struct base_walk *walk)
{
    walk->stopped = true;
    if (walk->gather)
        gather_cancel(walk->gather);
    if (walk->listing)
        registry_cancel(walk->active->registry->client, walk->listing);
    walk->gather = walk->listing = 0;
    timer_disarm(walk->next);
}

void base_walk_free(struct base_walk *walk)
{
    if (!walk)
        return;
    job_free(walk->active);
    for (struct job *job = walk->first, *next; job; job = next) {
        next = job->next;
        job_free(job);
    }
    timer_free(walk->next);
    free(walk);
}

void base_walk_add(struct base_walk *walk, const struct base_pattern *pattern)
{
    bool globs = strpbrk(pattern->repository, "*?");
    bool tag_globs = strpbrk(pattern->tag, "*?");
    struct job job = {.kind = globs       ? JOB_REPOSITORIES
                              : tag_globs ? JOB_TAGS
                                          : JOB_TAG,
                      .registry = pattern->registry,
                      .repository = pattern->repository,
                      .tag = pattern->tag};

    add_job(walk, &job);
}

void base_walk_add_tag(struct base_walk *walk, struct daemon_registry *registry,
                       const char *repository, const char *tag)
{
    struct job job = {.kind = JOB_TAG,
                      .registry = registry,
                      .repository = memory_copy_text(repository),
                      .tag = memory_copy_text(tag)};

    add_job(walk, &job);
    free(job.repository);
    free(job.tag);
}
