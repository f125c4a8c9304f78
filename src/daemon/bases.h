/* The inside of the catalogue's upkeep: bases.c holds it and decides when, bases_walk.c asks the
 * registries. */
#ifndef REGWARDEN_DAEMON_BASES_H
#define REGWARDEN_DAEMON_BASES_H

#include "daemon_priv.h"
#include "regwarden/bases.h"

/* "main/base/<glob>:<glob>" taken apart. */
struct base_pattern {
    struct daemon_registry *registry; /* borrowed */
    char *repository;                 /* glob */
    char *tag;                        /* glob */
};
/* The registry is named as configured, or by its host. FAILURE_INPUT. */
int base_pattern_read(struct daemon *daemon, const char *text, struct base_pattern *ret,
                      struct error *err);
void base_pattern_release(struct base_pattern *pattern);
#define AUTO_BASE_PATTERN AUTO(base_pattern_release)
bool base_pattern_matches(const struct base_pattern *pattern,
                          const struct daemon_registry *registry, const char *repository,
                          const char *tag);
bool base_pattern_is_exact(const struct base_pattern *pattern);

/* Hosts under which images of this registry are named in FROM. */
void base_hosts(const struct daemon_registry *registry, struct text_list *ret);

struct base_walk; /* opaque */
struct base_walk_options {
    struct daemon *daemon;
    struct base_catalogue *catalogue; /* borrowed; what is seen goes into it */
    /* All that was asked for was looked at. `error`: the first thing that failed; NULL: nothing. */
    void (*ended)(void *argument, const struct error *error);
    void *argument;
};
struct base_walk *base_walk_new(const struct base_walk_options *options);
void base_walk_free(struct base_walk *walk);
void base_walk_stop(struct base_walk *walk);
/* Looks for what the pattern matches; behind what waits already. */
void base_walk_add(struct base_walk *walk, const struct base_pattern *pattern);
void base_walk_add_tag(struct base_walk *walk, struct daemon_registry *registry,
                       const char *repository, const char *tag);

#endif
