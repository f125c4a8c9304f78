/* What the instructions of a Dockerfile say of its stages. */
#include "regwarden/dockerfile.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "dockerfile_lines.h"
#include "dockerfile_words.h"

struct parser {
    struct dockerfile *file;
    const struct dockerfile_call *call;
    struct text_pairs globals; /* of ARG before the first FROM */
    char escape;
};

static void release_instruction(struct dockerfile_instruction *instruction)
{
    free(instruction->keyword);
    free(instruction->text);
    text_pairs_release(&instruction->flags);
}

static void release_stage(struct dockerfile_stage *stage)
{
    free(stage->name);
    free(stage->written);
    free(stage->image);
}

static void dockerfile_free(struct dockerfile *dockerfile)
{
    if (!dockerfile)
        return;
    for (size_t i = 0; i < dockerfile->instruction_count; i++)
        release_instruction(&dockerfile->instructions[i]);
    for (size_t i = 0; i < dockerfile->stage_count; i++)
        release_stage(&dockerfile->stages[i]);
    free(dockerfile->instructions);
    free(dockerfile->stages);
    free(dockerfile->syntax);
    text_list_release(&dockerfile->images);
    free(dockerfile);
}

void dockerfile_auto_free(struct dockerfile **dockerfile)
{
    dockerfile_free(*dockerfile);
    *dockerfile = NULL;
}

static char *copy_span(const char *at, size_t size)
{
    AUTO_TEXT struct text text = {0};

    text_add_bytes(&text, at, size);
    return text_take(&text);
}

static void to_upper(char *text)
{
    for (; *text; text++)
        if (*text >= 'a' && *text <= 'z')
            *text = (char)(*text - 'a' + 'A');
}

static void to_lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

/* "--from=build" to "from", "build". */
static void add_flag(struct text_pairs *flags, const char *word, size_t size)
{
    AUTO_FREE char *flag = copy_span(word + 2, size - 2);
    char *equals = strchr(flag, '=');

    if (equals)
        *equals = '\0';
    text_pairs_add(flags, flag, equals ? equals + 1 : "");
}

/* Only these have flags; "--" after another keyword is an argument. */
static bool has_flags(const char *keyword)
{
    return text_equal(keyword, "FROM") || text_equal(keyword, "COPY") ||
           text_equal(keyword, "ADD") || text_equal(keyword, "RUN") ||
           text_equal(keyword, "HEALTHCHECK");
}

static void read_instruction(const struct parser *parser, const char *head, const char *bodies,
                             struct dockerfile_instruction *ret)
{
    struct dockerfile_words words = {.at = head, .escape = parser->escape};
    AUTO_TEXT struct text text = {0};
    const char *word = "";
    const char *rest;
    size_t size = 0;

    (void)dockerfile_next_word(&words, &word, &size);
    ret->keyword = copy_span(word, size);
    to_upper(ret->keyword);
    rest = words.at;
    while (has_flags(ret->keyword) && dockerfile_next_word(&words, &word, &size) && size > 2 &&
           word[0] == '-' && word[1] == '-') {
        add_flag(&ret->flags, word, size);
        rest = words.at;
    }
    while (*rest == ' ' || *rest == '\t')
        rest++;
    text_add(&text, rest);
    while (text.length > 0 &&
           (text.data[text.length - 1] == ' ' || text.data[text.length - 1] == '\t'))
        text.data[--text.length] = '\0';
    text_add(&text, bodies);
    ret->text = text_take(&text);
}

/* A stage by its name, before `before`; -1 when there is none. */
static int find_stage(const struct dockerfile *file, const char *name, size_t before)
{
    for (size_t i = before; i-- > 0;)
        if (file->stages[i].name && strcasecmp(file->stages[i].name, name) == 0)
            return (int)i;
    return -1;
}

static int find_stage_or_number(const struct dockerfile *file, const char *name, size_t before)
{
    uint64_t number = 0;
    int found = find_stage(file, name, before);

    if (found < 0 && before > 0 && text_parse_uint(name, before - 1, &number, NULL) == 0)
        found = (int)number;
    return found;
}

/* Where a named build context leads; NULL when there is none of this name. "name::platform" is the
 * same for one platform only. */
static const char *find_context(const struct parser *parser, const char *name)
{
    const struct text_pairs *contexts = parser->call ? parser->call->contexts : NULL;
    size_t size = strlen(name);

    for (size_t i = 0; contexts && i < contexts->count; i++) {
        const char *key = contexts->items[i].key;

        if (strncasecmp(key, name, size) == 0 && (!key[size] || text_starts_with(key + size, "::")))
            return contexts->items[i].value;
    }
    return NULL;
}

static enum answer pinned_by_text(const char *image)
{
    const char *at = strchr(image, '@');
    struct digest digest;

    if (text_equal(image, "scratch"))
        return ANSWER_YES;
    if (!at)
        return ANSWER_NO;
    return digest_parse(at + 1, &digest, NULL) == 0 ? ANSWER_YES : ANSWER_UNKNOWN;
}

#define DOCKER_IMAGE "docker-image://"

static void replace_image(struct dockerfile_stage *stage, const char *target)
{
    stage->replaced = true;
    stage->parent = -1;
    if (!text_starts_with(target, DOCKER_IMAGE))
        return; /* a directory, a repository, a layout */
    stage->image = memory_copy_text(target + strlen(DOCKER_IMAGE));
    stage->pinned = pinned_by_text(stage->image);
}

static void read_image(const struct parser *parser, const char *word, size_t size,
                       struct dockerfile_stage *stage)
{
    AUTO_TEXT struct text image = {0};
    bool known = dockerfile_expand(word, size, parser->escape, &parser->globals, &image);
    const char *name = text_data(&image);
    const char *context;

    stage->written = copy_span(word, size);
    stage->parent = -1;
    if (!known || !*name) {
        /* Which image it is depends on the builder; that a digest is written does not. */
        stage->pinned = strchr(name, '@') ? pinned_by_text(name) : ANSWER_UNKNOWN;
        return;
    }
    context = find_context(parser, name);
    if (context) {
        replace_image(stage, context);
        return;
    }
    stage->parent = find_stage(parser->file, name, parser->file->stage_count);
    if (stage->parent >= 0)
        return;
    stage->image = text_take(&image);
    stage->pinned = pinned_by_text(stage->image);
}

/* "image AS name". */
static void add_stage(struct parser *parser, const struct dockerfile_instruction *from)
{
    struct dockerfile_stage *stage = &parser->file->stages[parser->file->stage_count];
    struct dockerfile_words words = {.at = from->text, .escape = parser->escape};
    const char *word = "";
    size_t size = 0;

    stage->line = from->line;
    (void)dockerfile_next_word(&words, &word, &size);
    read_image(parser, word, size, stage);
    if (dockerfile_next_word(&words, &word, &size) && size == 2 &&
        strncasecmp(word, "as", 2) == 0 && dockerfile_next_word(&words, &word, &size)) {
        const char *context;

        stage->name = copy_span(word, size);
        to_lower(stage->name);
        context = find_context(parser, stage->name);
        if (context) {
            free(TAKE(stage->image));
            stage->pinned = ANSWER_UNKNOWN;
            replace_image(stage, context);
        }
    }
    parser->file->stage_count++;
}

/* "NAME=default OTHER": a build argument of that name counts more than the default. */
static void add_globals(struct parser *parser, const char *text)
{
    struct dockerfile_words words = {.at = text, .escape = parser->escape};
    const char *word;
    size_t size;

    while (dockerfile_next_word(&words, &word, &size)) {
        const char *equals = memchr(word, '=', size);
        AUTO_FREE char *name = copy_span(word, equals ? (size_t)(equals - word) : size);
        const struct text_pairs *given = parser->call ? parser->call->arguments : NULL;
        const char *value = given ? text_pairs_get(given, name) : NULL;
        AUTO_TEXT struct text preset = {0};
        bool known = true;

        if (equals && !value) {
            known = dockerfile_expand(equals + 1, size - (size_t)(equals - word) - 1,
                                      parser->escape, &parser->globals, &preset);
            value = text_data(&preset);
        }
        if (value && known)
            text_pairs_add(&parser->globals, name, value);
    }
}

/* A source of files: a stage, or an image. */
static void add_source(struct parser *parser, const char *name)
{
    struct dockerfile *file = parser->file;
    const char *context = find_context(parser, name);

    if (context && text_starts_with(context, DOCKER_IMAGE))
        text_list_add(&file->images, context + strlen(DOCKER_IMAGE));
    else if (!context && *name && find_stage_or_number(file, name, file->stage_count) < 0)
        text_list_add(&file->images, name);
}

/* "type=bind,from=image,target=/x". */
static void add_mount(struct parser *parser, const char *mount)
{
    while (*mount) {
        size_t size = strcspn(mount, ",");

        if (size > 5 && strncmp(mount, "from=", 5) == 0) {
            AUTO_FREE char *name = copy_span(mount + 5, size - 5);

            add_source(parser, name);
        }
        mount += size + (mount[size] == ',');
    }
}

static void add_sources(struct parser *parser, const struct dockerfile_instruction *instruction)
{
    bool copy = text_equal(instruction->keyword, "COPY") || text_equal(instruction->keyword, "ADD");
    bool run = text_equal(instruction->keyword, "RUN");

    for (size_t i = 0; i < instruction->flags.count; i++) {
        const struct text_pair *flag = &instruction->flags.items[i];

        if (copy && text_equal(flag->key, "from"))
            add_source(parser, flag->value);
        else if (run && text_equal(flag->key, "mount"))
            add_mount(parser, flag->value);
    }
}

static int take_instruction(struct parser *parser, const char *head, const char *bodies,
                            unsigned line, struct error *err)
{
    struct dockerfile *file = parser->file;
    struct dockerfile_instruction *instruction = &file->instructions[file->instruction_count];

    if (file->instruction_count == DOCKERFILE_INSTRUCTIONS_MAX)
        return error_set(err, FAILURE_LIMIT, "the Dockerfile has more than %d instructions",
                         DOCKERFILE_INSTRUCTIONS_MAX);
    file->instruction_count++;
    instruction->line = line;
    read_instruction(parser, head, bodies, instruction);
    if (text_equal(instruction->keyword, "FROM")) {
        if (file->stage_count == DOCKERFILE_STAGES_MAX)
            return error_set(err, FAILURE_LIMIT, "the Dockerfile has more than %d stages",
                             DOCKERFILE_STAGES_MAX);
        add_stage(parser, instruction);
    } else if (text_equal(instruction->keyword, "ARG") && file->stage_count == 0) {
        add_globals(parser, instruction->text);
    }
    instruction->stage = (int)file->stage_count - 1;
    add_sources(parser, instruction);
    return 0;
}

static int read_all(struct parser *parser, struct dockerfile_lines *lines, struct error *err)
{
    AUTO_TEXT struct text head = {0};
    AUTO_TEXT struct text bodies = {0};
    unsigned line = 0;
    int failure = 0;

    while (!failure && dockerfile_lines_next(lines, &head, &bodies, &line))
        failure = take_instruction(parser, head.data, text_data(&bodies), line, err);
    return failure;
}

int dockerfile_parse(const char *text, size_t size, const struct dockerfile_call *call,
                     struct dockerfile **ret, struct error *err)
{
    AUTO_DOCKERFILE struct dockerfile *file = NULL;
    struct parser parser = {.call = call};
    struct dockerfile_lines lines;
    int failure;

    if (size > DOCKERFILE_BYTES_MAX)
        return error_set(err, FAILURE_LIMIT, "the Dockerfile is larger than %d KiB",
                         DOCKERFILE_BYTES_MAX / 1024);
    if (memchr(text, '\0', size))
        return error_set(err, FAILURE_INPUT, "the Dockerfile is no text");
    file = memory_new(sizeof(*file));
    file->instructions = memory_new_array(DOCKERFILE_INSTRUCTIONS_MAX, sizeof(*file->instructions));
    file->stages = memory_new_array(DOCKERFILE_STAGES_MAX, sizeof(*file->stages));
    dockerfile_lines_init(&lines, text, size);
    parser.file = file;
    parser.escape = lines.escape;
    file->syntax = TAKE(lines.syntax);
    failure = read_all(&parser, &lines, err);
    dockerfile_lines_release(&lines);
    text_pairs_release(&parser.globals);
    if (!failure)
        *ret = TAKE(file);
    return failure;
}

int dockerfile_target(const struct dockerfile *dockerfile, const char *target)
{
    int last = (int)dockerfile->stage_count - 1;

    if (!target || !*target)
        return last;
    return find_stage_or_number(dockerfile, target, dockerfile->stage_count);
}

const struct dockerfile_stage *dockerfile_root(const struct dockerfile *dockerfile, int stage)
{
    assert(stage >= 0 && (size_t)stage < dockerfile->stage_count);
    /* A parent stands before its child, so that this ends. */
    while (dockerfile->stages[stage].parent >= 0)
        stage = dockerfile->stages[stage].parent;
    return &dockerfile->stages[stage];
}
