/* BuildKit's build graph (LLB): from the last step along the root file system to where it started.
 *
 * Other inputs of a step are stages whose files are copied, and are not followed. That a source in
 * the graph has a digest says nothing: the frontend resolves every image before it builds. */
#include "provenance_read.h"

#include <string.h>

#include "regwarden/map.h"

enum { STEPS_MAX = 100000, ACTIONS_MAX = 100000 };

void graph_base_release(struct graph_base *base)
{
    free(base->step);
    free(base->image);
    *base = (struct graph_base){0};
}

/* "step7:0": the step's id, and which of its outputs. */
static char *split_input(const char *input, int64_t *ret_output)
{
    const char *colon = input ? strrchr(input, ':') : NULL;
    AUTO_TEXT struct text id = {0};
    uint64_t number = 0;

    if (!colon || text_parse_uint(colon + 1, ACTIONS_MAX, &number, NULL))
        return NULL;
    *ret_output = (int64_t)number;
    text_add_bytes(&id, input, (size_t)(colon - input));
    return text_take(&id);
}

enum { INPUT_NONE = -1, INPUT_UNKNOWN = -2 }; /* none: an empty file system */

static int64_t exec_input(const struct json *exec)
{
    const struct json *mounts = json_get(exec, "mounts");

    for (size_t i = 0; i < json_count(mounts); i++) {
        const struct json *mount = json_at(mounts, i);

        if (text_equal(json_get_string(mount, "dest"), "/"))
            return json_get_integer(mount, "input", 0);
    }
    return INPUT_UNKNOWN;
}

/* An action works on an input of the step, or on what an earlier action made: those are counted on
 * behind the inputs. */
static int64_t file_input(const struct json *file, int64_t output, size_t input_count)
{
    const struct json *actions = json_get(file, "actions");
    size_t count = json_count(actions);
    int64_t at = INPUT_UNKNOWN;

    for (size_t i = 0; i < count && i < ACTIONS_MAX; i++)
        if (json_get_integer(json_at(actions, i), "output", 0) == output)
            at = (int64_t)(input_count + i);
    for (size_t passed = 0; at >= (int64_t)input_count; passed++) {
        size_t action = (size_t)at - input_count;

        if (action >= count || passed > count)
            return INPUT_UNKNOWN;
        at = json_get_integer(json_at(actions, action), "input", 0);
    }
    return at;
}

/* The first is the lowest: COPY --link puts its files on top of what was there. */
static int64_t merge_input(const struct json *merge)
{
    const struct json *first = json_at(json_get(merge, "inputs"), 0);

    return first ? json_get_integer(first, "input", 0) : INPUT_UNKNOWN;
}

static int64_t root_input(const struct json *op, int64_t output, size_t input_count)
{
    const struct json *exec = json_get(op, "exec");
    const struct json *file = json_get(op, "file");
    const struct json *merge = json_get(op, "merge");

    if (exec)
        return exec_input(exec);
    if (file)
        return file_input(file, output, input_count);
    if (merge)
        return merge_input(merge);
    if (json_get(op, "diff") || json_get(op, "build"))
        return INPUT_UNKNOWN;
    return input_count > 0 ? 0 : INPUT_UNKNOWN; /* the result itself */
}

static void end_at_source(const struct json *step, const char *identifier, struct graph_base *ret)
{
    static const char image[] = "docker-image://";
    const char *id = json_get_string(step, "id");

    ret->found = true;
    ret->step = id ? memory_copy_text(id) : NULL;
    if (identifier && text_starts_with(identifier, image))
        ret->image = memory_copy_text(identifier + strlen(image));
}

/* The step that the root file system comes from; NULL when the way ends here. */
static const struct json *go_down(struct map *steps, const struct json *step, int64_t *output,
                                  struct graph_base *ret)
{
    const struct json *op = json_get(json_get(step, "op"), "Op");
    const struct json *source = json_get(op, "source");
    const struct json *inputs = json_get(step, "inputs");
    size_t count = json_count(inputs);
    AUTO_FREE char *id = NULL;
    int64_t input;

    if (source || (!op && count == 0)) {
        end_at_source(step, json_get_string(source, "identifier"), ret);
        return NULL;
    }
    input = root_input(op, *output, count);
    if (input == INPUT_NONE) {
        ret->found = true;
        ret->scratch = true;
        return NULL;
    }
    if (input < 0 || (size_t)input >= count)
        return NULL;
    id = split_input(json_string(json_at(inputs, (size_t)input)), output);
    return id ? map_remove(steps, id) : NULL; /* passed once: the graph may be a circle */
}

void graph_find_base(const struct json *build_config, struct graph_base *ret)
{
    const struct json *definition = json_get(build_config, "llbDefinition");
    size_t count = json_count(definition);
    const struct json *step;
    AUTO_MAP struct map *steps = NULL;
    int64_t output = 0;

    *ret = (struct graph_base){0};
    if (count == 0 || count > STEPS_MAX)
        return;
    steps = map_new();
    for (size_t i = 0; i < count; i++) {
        const char *id = json_get_string(json_at(definition, i), "id");

        if (id)
            (void)map_set(steps, id, json_at(definition, i));
    }
    step = json_at(definition, count - 1);
    while (step)
        step = go_down(steps, step, &output, ret);
}
