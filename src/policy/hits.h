/* Hits of layers, chosen and put together so that a report stays short: shared by the rules that
 * look into layers. Choosing allocates only when something is found. Everything is borrowed from
 * the facts, which must stay. */
#ifndef REGWARDEN_POLICY_HITS_H
#define REGWARDEN_POLICY_HITS_H

#include "glob.h"
#include "rule.h"

#include "regwarden/facts_files.h"

#define SIGNAL_BIT(kind) (1u << (kind))

/* Settings of every rule about hits, at the beginning of its own. */
struct hit_settings {
    struct text_list allow;
    struct text_list allow_paths;
    bool include_base;
    struct glob_list allow_globs;
    struct glob_list allow_path_globs;
};
/* As a rule's own `prepare` and `release`, or part of them: `block` begins with hit_settings. Paths
 * may begin with a slash, those in facts do not: it is taken off. */
int hit_settings_prepare(void *block, const char **ret_param, struct error *err);
void hit_settings_release(void *block);

/* A directory is below itself: `opt/jdk/` and two stars match opt/jdk. */
bool path_list_match(const struct glob_list *list, const char *path);

/* Which hits a rule is about. */
struct hit_choice {
    unsigned kinds; /* SIGNAL_BITs */
    const struct hit_settings *settings;
    bool include_base; /* otherwise layers of the base are passed over */
    bool hidden_too; /* also what a later layer took away: served, and never seen by a container */
};

bool hit_is_chosen(const struct hit_choice *choice, const struct facts *facts,
                   const struct facts_hit *hit);

/* Is the path the hit, or in the directory that it is? */
bool hit_lies_in(const char *path, const struct facts_hit *hit);

struct hit_list {
    const struct facts_hit **items;
    size_t count;
    size_t capacity;
};
/* Empty when the layers are not known. */
void hit_list_choose(const struct hit_choice *choice, const struct rule_input *input,
                     struct hit_list *ret);
/* In order of layers, and of paths within. */
void hit_list_sort(struct hit_list *list);
void hit_list_release(struct hit_list *list);
#define AUTO_HITS AUTO(hit_list_release)

/* Hits of one layer, in order of their paths. What lies in a directory that is a hit of the group
 * itself is not counted twice. */
struct hit_group {
    const struct facts_hit **hits; /* borrowed from the list */
    size_t count;
    int layer;
    const struct facts_hit *largest;
    uint64_t files;
    uint64_t bytes;
    uint64_t visible_files;
    uint64_t visible_bytes;
    int hidden_by; /* the layer that took (the first of) it away; -1 when nothing did */
};
struct hit_groups {
    struct hit_group *items; /* the most bytes first */
    size_t count;
};
enum hit_grouping { HITS_BY_LAYER, HITS_BY_NAME /* and layer */ };
/* Sorts the list, which must stay. */
void hit_groups_make(struct hit_list *list, enum hit_grouping grouping, struct hit_groups *ret);
void hit_groups_release(struct hit_groups *groups);
#define AUTO_HIT_GROUPS AUTO(hit_groups_release)

enum hit_weight { HIT_NOTHING, HIT_WARNS, HIT_FAILS };
struct hit_report {
    enum hit_weight weight;
    const char *brings;   /* "build tools that stay in the image" */
    const char *subject;  /* NULL: the names */
    bool unknown_if_base; /* what may be the base's is unknown: otherwise it counts as own */
    size_t names_max;
};
/* Adds "<layer> brings <brings>: <names> (<size>)", with layer, step, origin, bytes and path. The
 * weight must not be HIT_NOTHING. */
struct finding *hit_group_report(const struct hit_group *group, const struct facts *facts,
                                 struct rule_report *report, const struct hit_report *as);

/* "own step 6 (RUN apt-get install gcc)", "layer 3 of the base", as far as it is known. */
void layer_describe(const struct facts *facts, int layer, struct text *to);
/* The same without the step's text: "own step 6". */
void layer_name(const struct facts *facts, int layer, struct text *to);

/* Are the layers as a registry stores them? Local archives and layouts may hold some that a
 * registry would compress. */
bool layers_are_compressed(const struct rule_input *input);

#endif
