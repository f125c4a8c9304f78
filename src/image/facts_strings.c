/* Visits every text that came from outside, each with the place it stands in, so that masking
 * cannot forget one. Environment and labels come before history: what is set there is also written
 * there. */
#include "facts_strings.h"

struct walk {
    facts_visit_f *visit;
    void *argument;
};

static void visit_text(const struct walk *walk, const struct facts_place *where, char **text)
{
    if (*text)
        walk->visit(walk->argument, where, text);
}

static void visit_pairs(const struct walk *walk, struct facts_place where, struct text_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        where.key = pairs->items[i].key;
        visit_text(walk, &where, &pairs->items[i].value);
        where.key = NULL;
        visit_text(walk, &where, &pairs->items[i].key);
    }
}

/* In a command, a word behind "--password" is its value. */
static void visit_list(const struct walk *walk, struct facts_place where, struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        where.key = i > 0 && text_starts_with(list->items[i - 1], "-") ? list->items[i - 1] : NULL;
        visit_text(walk, &where, &list->items[i]);
    }
}

static void visit_platform(const struct walk *walk, const struct facts_place *where,
                           struct platform *platform)
{
    visit_text(walk, where, &platform->os);
    visit_text(walk, where, &platform->architecture);
    visit_text(walk, where, &platform->variant);
    visit_text(walk, where, &platform->os_version);
}

static void visit_descriptor(const struct walk *walk, struct descriptor *descriptor)
{
    const struct facts_place where = {.place = SECRET_ANNOTATION, .step = -1};
    visit_text(walk, &where, &descriptor->media_type);
    visit_text(walk, &where, &descriptor->artifact_type);
    visit_platform(walk, &where, &descriptor->platform);
    visit_pairs(walk, where, &descriptor->annotations);
}

static void visit_manifest(const struct walk *walk, struct manifest *manifest)
{
    const struct facts_place where = {.place = SECRET_ANNOTATION, .step = -1};
    visit_pairs(walk, where, &manifest->annotations);
    visit_text(walk, &where, &manifest->media_type);
    visit_text(walk, &where, &manifest->artifact_type);
    visit_descriptor(walk, &manifest->config);
    visit_descriptor(walk, &manifest->subject);
    for (size_t i = 0; i < manifest->layer_count; i++)
        visit_descriptor(walk, &manifest->layers[i]);
    for (size_t i = 0; i < manifest->child_count; i++)
        visit_descriptor(walk, &manifest->children[i]);
}

static void visit_config(const struct walk *walk, struct image_config *config)
{
    const struct facts_place command = {.place = SECRET_COMMAND, .step = -1};
    const struct facts_place history = {.place = SECRET_HISTORY, .step = -1};
    visit_pairs(walk, (struct facts_place){.place = SECRET_ENV, .step = -1}, &config->env);
    visit_pairs(walk, (struct facts_place){.place = SECRET_LABEL, .step = -1}, &config->labels);
    visit_list(walk, command, &config->entrypoint);
    visit_list(walk, command, &config->cmd);
    visit_list(walk, (struct facts_place){.place = SECRET_HEALTHCHECK, .step = -1},
               &config->healthcheck.test);
    visit_list(walk, command, &config->shell);
    visit_list(walk, command, &config->exposed_ports);
    visit_list(walk, command, &config->volumes);
    visit_text(walk, &command, &config->user);
    visit_text(walk, &command, &config->working_dir);
    visit_text(walk, &command, &config->stop_signal);
    visit_list(walk, history, &config->on_build);
    visit_text(walk, &history, &config->author);
    visit_platform(walk, &command, &config->platform);
}

static void visit_step(const struct walk *walk, struct facts *facts, size_t index)
{
    struct step *step = &facts->history.steps[index];
    struct facts_place where = {
        .place = step->kind == STEP_ARG ? SECRET_ARG : SECRET_HISTORY,
        .step = (int)index,
        .kind = step->kind,
    };
    visit_pairs(walk, (struct facts_place){.place = SECRET_ARG, .step = (int)index}, &step->args);
    visit_text(walk, &where, &step->text);
    if (!facts->config || index >= facts->config->history_count)
        return;
    where.raw = true;
    visit_text(walk, &where, &facts->config->history[index].created_by);
    visit_text(walk, &where, &facts->config->history[index].comment);
    visit_text(walk, &where, &facts->config->history[index].author);
}

void facts_visit(struct facts *facts, facts_visit_f *visit, void *argument)
{
    const struct walk walk = {.visit = visit, .argument = argument};
    const struct facts_place claim = {.place = SECRET_ANNOTATION, .step = -1};
    if (facts->manifest)
        visit_manifest(&walk, facts->manifest);
    if (facts->config)
        visit_config(&walk, facts->config);
    for (size_t i = 0; i < facts->history.count; i++)
        visit_step(&walk, facts, i);
    for (size_t i = 0; i < facts->base.claim_count; i++)
        visit_text(&walk, &claim, &facts->base.claims[i].name);
    visit_text(&walk, &claim, &facts->base.name);
    visit_text(&walk, &claim, &facts->runtime.version);
}
