/* The record: events, facts, placements, verdicts, plans and their journal, waivers, dead letters,
 * sweeps.
 *
 * Domain operations over one driver interface (src/store/driver.h). All are asynchronous: callable
 * on the loop thread, carried out by the store's own threads, answered by exactly one callback on
 * the loop. Writes that arrive together are committed together (group commit): a callback without
 * error means that the data is on disk. Reads see all that was answered before they were asked.
 * Order: writes are carried out in the order of their calls. A full disk or a locked database is
 * FAILURE_LATER; damage FAILURE_SYSTEM. */
#ifndef REGWARDEN_STORE_H
#define REGWARDEN_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regwarden/digest.h"
#include "regwarden/error.h"
#include "regwarden/event.h"
#include "regwarden/facts.h"
#include "regwarden/json.h"
#include "regwarden/policy.h"
#include "regwarden/verdict.h"

struct loop;
struct layer_facts;
struct store; /* opaque */

/* url: "sqlite:/path/regwarden.db". Creates, migrates (numbered), checks. Blocking, at start.
 * FAILURE_INPUT: no such kind of store, another program's file, a newer schema. FAILURE_LATER:
 * another process has it. FAILURE_SYSTEM: it cannot be opened, or is damaged. */
int store_open(struct loop *loop, const char *url, struct store **ret, struct error *err);
/* Commits what was asked for, then stops; the callbacks come before it returns. What a callback
 * asks for meanwhile is refused with FAILURE_LATER. Not from within a callback. */
void store_close(struct store *store);
const unsigned char *
store_salt(const struct store *store); /* 32 random bytes of this installation, for secret hashes */

typedef void store_done_f(void *argument, const struct error *error); /* error NULL: committed */

/* --- events --- */
/* Gives ids to events[0..count) (written before the callback) and makes them durable. The array
 * must live until the callback. */
void store_add_events(struct store *store, struct event *events, size_t count, store_done_f *done,
                      void *argument);
typedef void store_events_f(void *argument, const struct error *error, const struct event *events,
                            size_t count);
/* Open events with id > after, oldest first, at most `limit`: at start, and when memory was short
 * of place. */
void store_load_events(struct store *store, int64_t after, size_t limit, store_events_f *done,
                       void *argument);
void store_finish_events(struct store *store, const int64_t *ids, size_t count, store_done_f *done,
                         void *argument);
void store_count_open_events(struct store *store,
                             void (*done)(void *argument, const struct error *error, int64_t count,
                                          int64_t oldest_ms),
                             void *argument);

/* --- dead letters: what could not be understood, judged or delivered --- */
struct dead_letter {
    int64_t id;
    int64_t at_ms;
    const char *kind;     /* "hook", "event", "notification" */
    const char *registry; /* NULL when unknown */
    const char *dialect;  /* of a hook */
    const char *reason;
    const char *body; /* what was received, first 64 KiB; for "event" and "notification": JSON that
                         retry understands */
    size_t body_size;
    const struct text_pairs *headers; /* of a hook: those without which the body says less; never
                                         secrets or signatures. May be NULL */
    int64_t event_id; /* of an event given up: it is finished in the same transaction; 0 none */
};
void store_add_dead_letter(struct store *store, const struct dead_letter *letter,
                           store_done_f *done, void *argument);
void store_remove_dead_letter(struct store *store, int64_t id, store_done_f *done, void *argument);

/* --- what a review has to know, in one read --- */
enum { STORE_CONTEXT_FACTS_BYTES_MAX = 256 * 1024 }; /* as a document */
struct store_context {
    bool is_own_push;     /* a plan of ours announced this (registry, repository, tag, digest), and
                             nobody else ever used the tag: where a plan of ours moves somebody's tag
                             back, the push is judged like theirs */
    struct facts *facts;  /* of the digest, NULL when unknown or of an older FACTS_VERSION; taken by
                             the callback if it wants */
    bool facts_are_large; /* then they are left out: store_read_facts() has them */
    bool placement_known; /* the tag is recorded with this digest, and not as gone */
    int64_t first_seen_ms;  /* with this digest; 0 never */
    struct digest current;  /* digest that the tag is recorded with; DIGEST_NONE */
    struct digest previous; /* digest that the tag pointed at before this one; DIGEST_NONE */
    uint64_t previous_size_bytes;
    struct digest last_passing; /* the tag's last digest, other than this one, that passed or only
                                   warned; DIGEST_NONE */
    bool has_verdict;           /* in force for this placement and this digest */
    enum verdict_status verdict;
    char policy_revision[65]; /* that it was judged under */
    unsigned acted; /* ACTION_BITs of plans for this placement and digest that are planned, done or
                       undone: not asked again */
    unsigned done;  /* those of them that were carried out: should the image be pushed once more,
                       what moved it away has to move it again */
    bool released;  /* an operator undid a quarantine of this placement and digest */
};
typedef void store_context_f(void *argument, const struct error *error,
                             struct store_context *context);
void store_read_context(struct store *store, const struct event *event, store_context_f *done,
                        void *argument);

typedef void store_facts_f(void *argument, const struct error *error,
                           struct facts *facts); /* NULL: not known; taken by the callback */
void store_read_facts(struct store *store, const struct digest *digest, store_facts_f *done,
                      void *argument);

/* Keeps them, packed before it returns; nobody is told. What is lost is gathered anew. */
void store_keep_facts(struct store *store, const struct digest *digest, const struct facts *facts);

/* --- layers: what was found in them, by digest, so that each is read once --- */
/* Facts of another LAYER_FACTS_VERSION count as unknown. Whoever asks for a layer uses it: it is
 * kept for the retention time from then on. */
/* `facts` must live until the callback; `ret_packed` (NULL, or an empty text) gets them as they lie
 * in the store. FAILURE_LIMIT when they are too large to be kept. */
void store_put_layer(struct store *store, const struct layer_facts *facts, struct text *ret_packed,
                     store_done_f *done, void *argument);
/* Is it known? Then `probes` are the ids of those that it was asked; NULL when it is not. */
typedef void store_layer_f(void *argument, const struct error *error,
                           const struct text_list *probes);
void store_find_layer(struct store *store, const struct digest *digest, store_layer_f *done,
                      void *argument);
/* `packed` is NULL when it is not known; may be taken by swapping it out. */
typedef void store_packed_f(void *argument, const struct error *error, struct text *packed);
void store_read_layer(struct store *store, const struct digest *digest, store_packed_f *done,
                      void *argument);
/* As the store packs them, without one. Any thread. */
int layer_facts_pack(const struct layer_facts *facts, struct text *ret, struct error *err);
/* Bytes of the document once it is unpacked; 0 when it is damaged. */
size_t layer_facts_plain_bytes(const void *packed, size_t size);
/* FAILURE_SYSTEM when damaged. Returns new. */
int layer_facts_unpack(const void *packed, size_t size, struct layer_facts **ret,
                       struct error *err);

/* --- the verdict, in one transaction --- */
struct store_image { /* facts to keep */
    struct digest digest;
    const struct facts *facts;
    struct text *ret_packed; /* NULL, or where to put them as they lie in the store, for
                                store_unpack_facts */
};
/* What store_image.ret_packed got, as facts again. Returns new; FAILURE_SYSTEM when damaged. */
int store_unpack_facts(struct store *store, const void *packed, size_t size, struct facts **ret,
                       struct error *err);
struct store_plan {
    enum action_kind kind;
    bool audit;          /* recorded as "would", never carried out */
    struct json *detail; /* what will be done, for people; borrowed */
    struct json *pushes; /* [{"repository", "reference", "digest"}]: what we will push, so that its
                            events are known as ours; borrowed */
    int64_t id;          /* written before the callback */
};
struct store_record {
    const char *registry;
    const char *repository;
    const char *tag; /* NULL untagged */
    struct digest digest;
    const char *media_type;
    uint64_t size_bytes; /* compressed, sum over platforms */
    const char *pusher;
    int64_t at_ms;
    const struct store_image *images; /* facts that are new */
    size_t image_count;
    const struct verdict *verdict; /* NULL: nothing to judge (artifact): placement only */
    struct store_plan *plans;
    size_t plan_count;
    const int64_t *event_ids; /* finished by this */
    size_t event_count;
};
/* Everything in `record` must live until the callback. A verdict whose events are older than what
 * is recorded of the tag with another digest becomes history; the placement stays where it is. */
void store_record_verdict(struct store *store, struct store_record *record, store_done_f *done,
                          void *argument);
/* The same digest again under the same policy revision: the verdict stays in force; touches
 * last-seen and finishes events. FAILURE_ABSENT, and nothing is finished, when the tag has no
 * verdict in force any more. */
void store_record_repeat(struct store *store, const char *registry, const char *repository,
                         const char *tag, int64_t at_ms, const int64_t *event_ids,
                         size_t event_count, store_done_f *done, void *argument);
/* The tag is gone (tag NULL: every placement of the digest in the repository). Finishes the events.
 */
void store_record_gone(struct store *store, const struct event *event, store_done_f *done,
                       void *argument);

/* --- plans and their journal --- */
enum plan_state { PLAN_PLANNED, PLAN_DONE, PLAN_FAILED, PLAN_SKIPPED, PLAN_UNDONE, PLAN_WOULD };
const char *plan_state_name(enum plan_state state);
struct plan {
    int64_t id;
    enum action_kind kind;
    enum plan_state state;
    int64_t at_ms;
    char *registry, *repository, *tag; /* tag NULL: untagged */
    struct digest digest;
    struct json *detail;
    struct json *undo;          /* what undo needs; NULL until done */
    char *reason;               /* of failed and skipped */
    int64_t attempts;           /* journalled: announcements and undoing are none */
    struct verdict *verdict;    /* that asked for it */
    bool audit;                 /* of policies in audit mode */
    struct digest last_passing; /* of the tag, as in the context; DIGEST_NONE */
};
typedef void store_plans_f(void *argument, const struct error *error, struct plan *plans,
                           size_t count);
void store_load_open_plans(struct store *store, int64_t after, size_t limit, store_plans_f *done,
                           void *argument);
void store_load_plan(struct store *store, int64_t id, store_plans_f *done, void *argument);
struct plan_update {
    int64_t id;
    enum plan_state state;
    const char *reason;        /* may be NULL */
    const struct json *undo;   /* may be NULL: unchanged */
    const struct json *pushes; /* announced before they are made; may be NULL */
    int64_t at_ms;
};
void store_update_plan(struct store *store, const struct plan_update *update, store_done_f *done,
                       void *argument);

/* --- sweep --- */
/* A sweep is recorded a batch at a time, each with the position that the walk had reached: one that
 * broke off goes on there, as the same sweep. */
struct sweep_start { /* copied */
    const char *registry, *cause;
    int64_t at_ms;
    int64_t resume_after_ms; /* the registry's last sweep goes on if it broke off and its last batch
                                is not older; INT64_MAX: a new one begins */
};
typedef void store_sweep_f(void *argument, const struct error *error, int64_t id,
                           const char *position); /* NULL: from the start; borrowed */
void store_sweep_begin(struct store *store, const struct sweep_start *start, store_sweep_f *done,
                       void *argument);

struct sweep_item {
    struct event event; /* what was seen, as it is to be judged when it is news; received_ms: when
                           the registry was asked. Borrowed */
    enum answer has_label; /* ours; unknown where listings do not say */
    bool wanted;           /* written: it is not recorded with this digest and a verdict; the event
                              is durable now, and has its id */
    int64_t redo;          /* written: plan of a label that somebody took off; it is planned again.
                              0: none */
};
struct sweep_batch { /* must live until the callback */
    int64_t id;
    struct sweep_item *items;
    size_t count;
    const struct text_list *exceptions; /* repositories of which something could not be looked at:
                                           nothing is missed there */
    const char *position;               /* reached with this batch */
    int64_t at_ms;
};
/* In one transaction. All items are marked seen, and known from now on. Not wanted: artifacts, what
 * we pushed ourselves, tags recorded since the registry was asked, and what this sweep found
 * before. FAILURE_ABSENT for a sweep that was not begun. */
void store_sweep_batch(struct store *store, struct sweep_batch *batch, store_done_f *done,
                       void *argument);

/* Tags that plans of ours have put beside images that this sweep saw, and that it did not see:
 * their plans are planned again. Once everything was walked, before the end. */
typedef void store_ids_f(void *argument, const struct error *error, const int64_t *ids,
                         size_t count);
void store_sweep_redo_tags(struct store *store, int64_t id, int64_t at_ms, store_ids_f *done,
                           void *argument);

struct sweep_end { /* copied */
    int64_t id;
    int64_t at_ms;
    /* Placements of the registry that this sweep did not see (and that are older than its start)
     * are marked gone. */
    bool complete;
    bool may_resume; /* it broke off; its position is kept */
    /* Globs of the repositories that it walked; those with a leading '!' it did not. NULL or
     * nothing but exceptions: all. What it did not walk is not marked. */
    const struct text_list *scope;
    const char *reason; /* of an incomplete one; may be NULL */
};
void store_sweep_end(struct store *store, const struct sweep_end *end, store_done_f *done,
                     void *argument);

/* --- waivers of the ledger --- */
/* FAILURE_INPUT: a field is missing, or the id was used before. */
void store_add_waiver(struct store *store, const struct waiver *waiver, store_done_f *done,
                      void *argument);
void store_revoke_waiver(struct store *store, const char *id, int64_t at_ms, const char *by,
                         store_done_f *done, void *argument); /* FAILURE_ABSENT */
typedef void store_waivers_f(void *argument, const struct error *error,
                             const struct waiver *waivers, size_t count);
void store_load_waivers(struct store *store, store_waivers_f *done,
                        void *argument); /* not revoked */

/* --- the catalogue of known bases --- */
struct base_image;
struct bases_change {                      /* in one transaction; copied */
    const struct base_image *const *saved; /* new, or as they are now */
    size_t saved_count;
    const struct digest *gone;
    size_t gone_count;
    const char *add_source; /* a reference or pattern to follow; NULL: none */
    const char *remove_source;
    const char *by; /* who asked for it; may be NULL */
};
void store_change_bases(struct store *store, const struct bases_change *change, store_done_f *done,
                        void *argument);

typedef void store_json_f(void *argument, const struct error *error,
                          struct json *json); /* borrowed */
/* The published form of bases.h, and beside it "sources": [{reference, addedAt, by}]. */
void store_load_bases(struct store *store, store_json_f *done, void *argument);

/* --- lists and sums for people, as JSON --- */
/* Lists are arrays, newest first. Times (…At) are RFC 3339; what is absent is left out. */
enum store_list {
    STORE_LIST_VERDICTS,     /* in force: {id, registry, repository, tag, digest, verdict, enforced,
                                judgedAt, findings: [{rule, id, policy, severity, status, message, …}],
                                actions, auditActions, policies, policyRevision, pusher, mediaType,
                                sizeBytes, firstSeenAt, lastSeenAt, previous}; the whole findings only
                                with filter.id */
    STORE_LIST_HISTORY,      /* every verdict of one placement, with supersededAt */
    STORE_LIST_DEAD_LETTERS, /* {id, at, kind, registry, dialect, reason, headers, body, bodyBytes};
                                the whole body only with filter.id */
    STORE_LIST_PLANS,        /* {id, kind, state, at, updatedAt, registry, repository, tag, digest,
                                verdictId, audit, detail, undo, reason, attempts} */
    STORE_LIST_WAIVERS, /* with revoked and expired ones: as waiver_to_json, and {number, state:
                           active|expired|revoked, createdAt, revokedAt, revokedBy}; filter.id and
                           .before go by number */
    STORE_LIST_SWEEPS,  /* {id, registry, cause, state: running|complete|incomplete, startedAt,
                           finishedAt, reason, seen, wanted} */
    STORE_LIST_STATUS,  /* one object: tags {known, judged, unjudged, artifacts, untagged,
                           oldestUnjudgedAt, oldestUnjudgedAgeMs}, events {open, oldestAt,
                           oldestAgeMs}, deadLetters and plans and verdicts (counts), registries:
                           [{registry, tags, judged, unjudged, oldestUnjudgedAt, lastSweep}] */
    STORE_LIST_REPORT,  /* one object: totals, repositories, rules, days since filter.since_ms (30
                           days when 0). compliance is the share of tags that pass or only warn,
                           null where there is no tag; a tag without verdict counts against it */
};
struct store_filter {
    const char *registry, *repository, *tag, *verdict, *rule, *kind,
        *state; /* NULL: any; repository is a glob */
    int64_t since_ms;
    int64_t id;     /* only this one; 0 any */
    int64_t before; /* ids below this, for paging; 0 from the newest */
    size_t limit;   /* 0: 100; at most 1000 */
};
void store_list(struct store *store, enum store_list list, const struct store_filter *filter,
                store_json_f *done, void *argument);

/* Removes what is older: finished events, superseded verdicts, finished journal entries, dead
 * letters. Never what is in force. */
void store_prune(struct store *store, int64_t before_ms, store_done_f *done, void *argument);

struct store_counters {
    uint64_t commits, operations, failures;
    size_t waiting;
    int64_t bytes; /* of the database */
};
void store_counters(const struct store *store, struct store_counters *ret);

/* Names the placements whose verdict was made under another policy revision, oldest first, as
 * events of cause POLICY. They are not stored: the ids are negative, finish nothing, and serve only
 * as `after` of the next call. */
void store_load_stale(struct store *store, const char *policy_revision, int64_t after, size_t limit,
                      store_events_f *done, void *argument);
/* Names the placements of the digest, and of indexes that it is part of, in registry and repository
 * of `place` that have a verdict in force, at most `limit`, as events of cause EVIDENCE. They are
 * not stored, either: the last one's id as that of `place` asks for those behind it. */
void store_load_judged(struct store *store, const struct event *place, size_t limit,
                       store_events_f *done, void *argument);

#endif
