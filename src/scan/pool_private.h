/* What the files of the pool share: jobs and workers, and how they tell each other. */
#ifndef SCAN_POOL_PRIVATE_H
#define SCAN_POOL_PRIVATE_H

#include "child.h"
#include "regwarden/loop.h"
#include "regwarden/scan_pool.h"
#include "wire.h"

struct pool_worker;

struct pool_job {
    struct pool_job *next;
    uint64_t id;
    struct scan_job spec;
    struct pool_worker *worker; /* NULL while it waits for one */
    bool begun;
    bool ended; /* all of its bytes were given */
    bool full;
};

struct scan_pool {
    struct loop *loop;
    char *program;                 /* NULL: this one */
    struct scan_pool_options spec; /* its pointers are not ours */
    struct text options;           /* the document that workers start with */
    uint64_t generation;           /* of it: workers of an older one are replaced */
    struct pool_job *jobs;         /* in order of their start */
    struct pool_worker *workers;
    struct timer *pump; /* hands jobs to workers, never from within a call */
    uint64_t last_id;
    uint64_t turns[UINT8_MAX + 1]; /* of each owner: when it was served last */
    uint64_t turn;
    bool going;
    struct text missing; /* of the sandbox, as the last worker said */
    struct scan_pool_counters counters;
};

enum worker_state {
    WORKER_STARTING,
    WORKER_IDLE,
    WORKER_BUSY,
    WORKER_CANCELLING, /* its job is gone, its answer is waited for */
    WORKER_DYING,      /* killed or ended: its end is waited for */
};

struct pool_worker {
    struct pool_worker *next;
    struct scan_pool *pool;
    struct child child;
    enum worker_state state;
    struct pool_job *job; /* of it; NULL when there is none */
    uint64_t generation;
    unsigned layers;  /* that it has served */
    int64_t busy_ms;  /* that they took */
    int64_t since_ms; /* when the current one began */
    struct watch *socket;
    struct watch *end;
    struct timer *silence;  /* it owes something */
    struct timer *deadline; /* of the layer, or of being idle */
    struct text out;
    size_t out_at; /* what stands before was sent */
    struct wire_reader reader;
    struct text message; /* of a kind that is kept until it is whole */
    struct text paths;
    bool has_paths;
};

/* --- pool.c: called by workers, from within callbacks of the loop --- */
void pool_pump_soon(struct scan_pool *pool);
void pool_job_ready(struct pool_job *job);
void pool_job_resume(struct pool_job *job);
/* The job ends: with an error, or with facts. */
void pool_job_done(struct scan_pool *pool, struct pool_job *job, const struct error *error,
                   struct layer_facts **facts);

/* --- pool_worker.c --- */
/* Starts it for this job. FAILURE_SYSTEM. */
int pool_worker_new(struct scan_pool *pool, struct pool_job *job, struct error *err);
void pool_worker_give(struct pool_worker *worker, struct pool_job *job); /* to one without */
size_t pool_worker_pending(const struct pool_worker *worker); /* bytes that are not yet sent */
void pool_worker_send(struct pool_worker *worker, enum wire_kind kind, const void *bytes,
                      size_t size);
void pool_worker_cancel(struct pool_worker *worker); /* its job is gone */
/* Its job has its answer: to the next one, or to its end. */
void pool_worker_rest(struct pool_worker *worker);
void pool_worker_kill(struct pool_worker *worker); /* without a word to its job */
/* Kills it, and its job ends with this error. */
void pool_worker_fail(struct pool_worker *worker, const struct error *error);
void pool_worker_free(struct pool_worker *worker); /* kills it, and waits for its end */

/* --- pool_answer.c --- */
/* One part of what the worker says. FAILURE_INPUT: it does not keep to the protocol, or what it
 * says is no answer. */
int pool_answer_take(struct pool_worker *worker, const struct wire_part *part, struct error *err);

#endif
