/* Inside the daemon: one struct that everything hangs from, and what its files say to each other.
 *
 * dispatcher.c  events wait here, in order per placement; starts reviews
 * review*.c     one review, as steps
 * inflight.c    many reviews of one digest, one of them works
 * scanning.c    workers that look into layers, and how many reviews may wait for them
 * layers*.c     each layer is read once for all of them
 * acts.c        recorded plans are carried out, again after a restart
 * sweep*.c      walk registries for what no event announced
 * rejudge.c     judges again what was judged under other policies
 * bases*.c      what images are built on: the catalogue, and who follows it
 * Loop thread throughout. */
#ifndef REGWARDEN_DAEMON_PRIV_H
#define REGWARDEN_DAEMON_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/action.h"
#include "regwarden/api.h"
#include "regwarden/config.h"
#include "regwarden/daemon.h"
#include "regwarden/gather.h"
#include "regwarden/http_server.h"
#include "regwarden/intake.h"
#include "regwarden/layers.h"
#include "regwarden/loop.h"
#include "regwarden/map.h"
#include "regwarden/policy.h"
#include "regwarden/registry.h"
#include "regwarden/store.h"

struct review;
struct dispatcher;
struct inflight;
struct scan_places;
struct large;
struct acts;
struct sweeps;
struct rejudge;
struct bases;
struct facts_cache;
struct placement_cache;
struct watch;
struct ask;

struct daemon_registry {
    struct registry *client;
    const struct config_registry *settings; /* of start_config */
};

struct daemon_counters {
    uint64_t reviews_begun, reviews_repeated, reviews_retried, reviews_given_up, reviews_gone,
        own_pushes, artifacts;
    uint64_t verdicts[4]; /* by enum verdict_status */
    int64_t last_reload_ms;
    bool last_reload_ok;
};

struct daemon {
    const struct daemon_options *options;
    struct loop *loop;
    struct config *config;        /* in force; replaced by a reload */
    struct config *start_config;  /* registries and listeners live by this one; the same as config
                                     until a reload */
    struct config *intake_config; /* that intake lives by: config, but for a reload that failed half
                                     way and could not be undone */
    struct policy_set *file_policies; /* without the ledger's waivers */
    struct policy_set *policies;      /* with them: what judges */
    struct timer *waivers;            /* when the next one ends, or to try again */
    bool waivers_known;
    bool bases_known;
    struct store *store;
    struct daemon_registry *registries;
    size_t registry_count;
    struct http_server *server;
    struct intake *intake;
    struct actions *actions;
    struct api *api;
    char *api_token;
    struct dispatcher *dispatcher;
    struct inflight *inflight;
    struct scan_pool *scan_pool;
    struct layers *layers;
    struct layer_reader layer_reader; /* of them */
    struct scan_places *scan_places;
    struct large *large;
    size_t held_bytes; /* of files, by reviews that are about to judge them */
    struct acts *acts;
    struct sweeps *sweeps;
    struct rejudge *rejudge;
    struct bases *bases;
    struct facts_cache *facts_cache;
    struct placement_cache *placement_cache;
    struct ask *asks; /* of operators, not answered yet */
    struct timer *watchdog;
    struct timer *housekeeping;
    struct daemon_counters counters;
    struct error start_failure; /* of what is read from the store before anything begins */
    bool ready;
    bool stopping; /* nothing new is begun */
    bool closing;  /* rooms are going: what calls back now may touch neither registries nor actions,
                      intake or API */
};

/* Where these were done the image is no longer where it was judged. */
#define ACTIONS_MOVING \
    (ACTION_BIT(ACTION_ROLLBACK) | ACTION_BIT(ACTION_QUARANTINE) | ACTION_BIT(ACTION_REMOVE))

struct daemon_registry *daemon_find_registry(struct daemon *daemon,
                                             const char *name); /* NULL when unknown */

/* A pause before something is tried again, at most as long as retry.max says. */
int64_t daemon_pause_ms(const struct daemon *daemon, int64_t usual_ms);

/* dispatcher.c */
struct dispatcher *dispatcher_new(struct daemon *daemon);
void dispatcher_free(struct dispatcher *dispatcher);
void dispatcher_start(
    struct dispatcher *dispatcher); /* loads what was left open by an earlier run */
/* Durable events (copied). When memory has no place they are left to the store and loaded again
 * later. */
void dispatcher_add(struct dispatcher *dispatcher, const struct event *events, size_t count);
/* Events that are in no store (policy changes); false when their registry has no place now. */
bool dispatcher_add_passing(struct dispatcher *dispatcher, const struct event *event);
void dispatcher_review_ended(struct dispatcher *dispatcher,
                             struct review *review); /* frees the review */
/* The review waits for a timer: its place is free for others. False when too many wait already:
 * then it was ended, and its events will be loaded from the store again. */
bool dispatcher_review_parked(struct dispatcher *dispatcher, struct review *review);
void dispatcher_review_unparked(struct dispatcher *dispatcher, struct review *review);
bool dispatcher_newer_waits(const struct dispatcher *dispatcher, const struct review *review);
typedef void dispatcher_each_f(void *argument, const struct review *review);
void dispatcher_each(const struct dispatcher *dispatcher, dispatcher_each_f *take,
                     void *argument);                /* reviews that have begun, parked ones too */
void dispatcher_stop(struct dispatcher *dispatcher); /* starts no more reviews */
size_t dispatcher_active(const struct dispatcher *dispatcher);
size_t dispatcher_waiting(const struct dispatcher *dispatcher);
bool dispatcher_is_idle(const struct dispatcher *dispatcher); /* for one registry at least */

/* inflight.c: the first to enter a key works, the others are called back when it leaves. */
struct inflight *inflight_new(void);
void inflight_free(struct inflight *inflight);
bool inflight_enter(struct inflight *inflight, const char *key,
                    struct review *review); /* true: you are the first */
void inflight_leave(struct inflight *inflight, const char *key, struct review *review);

/* scanning.c */
int scanning_start(struct daemon *daemon, struct error *err);
void scanning_stop(struct daemon *daemon); /* who waits for layers is told to come later */
void scanning_free(struct daemon *daemon);
void scanning_reload(struct daemon *daemon); /* settings or policies have changed */
/* Reviews that need layers take long, and may not take all places of the others: half of them at
 * most, of each registry. False: it has to wait, without a place, and will be woken. */
bool scan_places_enter(struct scan_places *places, struct review *review);
void scan_places_leave(struct scan_places *places, struct review *review); /* if it is there */
/* Do enough reviews of this registry (of the daemon's) wait already? */
bool scan_places_are_crowded(const struct scan_places *places, size_t registry);

/* large.c: facts that are large are held by one review at a time. */
struct large *large_new(void);
void large_free(struct large *large);
void large_leave(struct large *large, struct review *review); /* if it is there */

/* caches.c: bounded memories. */
struct facts_cache *facts_cache_new(struct store *store, size_t entries);
void facts_cache_free(struct facts_cache *cache);
void facts_cache_put(struct facts_cache *cache, const struct digest *digest,
                     const struct text *packed); /* as the store packs facts; copied */
struct facts *facts_cache_get(struct facts_cache *cache,
                              const struct digest *digest); /* returns new, or NULL */
struct placement_cache *placement_cache_new(size_t entries);
void placement_cache_free(struct placement_cache *cache);
/* The verdict for this event's placement and digest stands in the store, under this policy
 * revision. */
void placement_cache_put(struct placement_cache *cache, const struct event *event,
                         const char *policy_revision);
bool placement_cache_has(struct placement_cache *cache, const struct event *event,
                         const char *policy_revision);
void placement_cache_forget(struct placement_cache *cache, const struct event *event);

/* acts.c */
struct acts_job { /* of one verdict; everything owned by acts after acts_add_take */
    struct event placement;
    struct digest last_passing;
    struct verdict verdict;
    struct store_plan *plans; /* with ids; audit ones are not carried out, but for notify */
    size_t plan_count;
};
struct acts *acts_new(struct daemon *daemon);
void acts_free(struct acts *acts);
/* Asks the journal what an earlier run has left. Before the first review: what is planned later is
 * of this run. */
void acts_look(struct acts *acts);
bool acts_have_looked(const struct acts *acts);
void acts_start(struct acts *acts); /* goes on with that */
void acts_add_take(struct acts *acts, struct acts_job *job);
void acts_take_up(struct acts *acts, int64_t plan_id); /* planned again in the journal */
size_t acts_active(const struct acts *acts);
void acts_stop(struct acts *acts);

/* asks.c */
void asks_free(struct daemon *daemon); /* those whose action was abandoned */

/* release.c: undoes a plan and answers the API's request. */
void daemon_release(struct daemon *daemon, uint64_t request, int64_t plan_id, bool force,
                    const char *by);

/* Is an operator putting this image back under its tag right now? */
bool daemon_is_releasing(const struct daemon *daemon, const struct event *event);

/* dead_letters.c: an operator wants a dead letter tried again. */
void daemon_retry_dead_letter(struct daemon *daemon, uint64_t request, int64_t id);

/* sweep.c */
struct sweeps *sweeps_new(struct daemon *daemon);
void sweeps_free(struct sweeps *sweeps);
void sweeps_start(struct sweeps *sweeps);
bool sweeps_request(struct sweeps *sweeps, const char *registry,
                    const char *cause); /* NULL: all; false: unknown registry */
void sweeps_stop(struct sweeps *sweeps);
struct json *sweeps_status(const struct sweeps *sweeps); /* returns new */
struct sweep_counters {                                  /* since the start */
    bool running;
    uint64_t requests, tags, wanted, redone;
};
/* Of one registry, by its place in daemon->registries. */
void sweeps_counters(const struct sweeps *sweeps, size_t registry, struct sweep_counters *ret);

/* rejudge.c */
struct rejudge *rejudge_new(struct daemon *daemon);
void rejudge_free(struct rejudge *rejudge);
void rejudge_start(struct rejudge *rejudge); /* also after each policy change */
void rejudge_more(struct rejudge *rejudge);  /* the dispatcher has place */
/* A placement was left with a verdict of other policies: walk once more, later. */
void rejudge_left_one(struct rejudge *rejudge);
void rejudge_stop(struct rejudge *rejudge);

/* bases.c: the catalogue of known bases. */
struct bases *bases_new(struct daemon *daemon);
void bases_free(struct bases *bases);
void bases_load(struct bases *bases); /* sets bases_known, or start_failure */
/* Looks at all that is followed, and again at each interval; also after a reload. */
void bases_refresh(struct bases *bases);
void bases_saw_push(struct bases *bases, const struct event *event);
void bases_apply_to(const struct bases *bases, struct facts *facts);
/* What the policies' revision is joined with; NULL: nothing. Borrowed until the next call. */
const char *bases_revision(struct bases *bases, const struct policy_set *policies);
struct json *bases_document(const struct bases *bases); /* for the API. Returns new */
/* Each answers the API's request. */
void bases_add(struct bases *bases, uint64_t request, const char *reference, const char *by);
void bases_remove(struct bases *bases, uint64_t request, const char *reference);
void bases_stop(struct bases *bases);

/* reload.c */
void daemon_reload(struct daemon *daemon);
void daemon_reload_waivers(struct daemon *daemon);
void daemon_free_configs(struct daemon *daemon);

/* metrics.c */
/* queues.c */
void daemon_queue_trouble(void *argument, const char *registry, const struct error *error);
struct json *daemon_queues_status(const struct daemon *daemon);
void daemon_write_metrics(struct daemon *daemon, struct text *to);
struct json *daemon_live_status(struct daemon *daemon); /* returns new */

/* watch.c: verdicts and actions on standard output as they come. */
void watch_verdict(struct daemon *daemon, const struct event *event,
                   const struct gathered *gathered, const struct verdict *verdict);
void watch_action(struct daemon *daemon, const struct event *event, enum action_kind kind,
                  const struct action_result *result);

/* log fields of an event, for every line about it. */
struct log_field;
enum { EVENT_LOG_FIELDS = 5 };
struct event_log {
    char digest[DIGEST_TEXT_SIZE];
};
const struct log_field *event_log_fields(const struct event *event, struct event_log *buffer,
                                         struct log_field *ret);

#endif
