/* Dockerfile text: instructions with their lines, stages, and the image at the root of a stage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "regwarden/dockerfile.h"

#define D64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define AT "@sha256:" D64

static struct dockerfile *parse_with(const char *text, const struct dockerfile_call *call)
{
    struct dockerfile *file = NULL;
    struct error err = {0};

    if (dockerfile_parse(text, strlen(text), call, &file, &err))
        fail_msg("%s: %s", err.text, text);
    return file;
}

static struct dockerfile *parse(const char *text)
{
    return parse_with(text, NULL);
}

static void instructions_have_lines(void **state)
{
    static const struct {
        const char *text;
        const char *instructions; /* line keyword text; */
    } cases[] = {
        {"FROM a\nRUN b\n", "1 FROM a;2 RUN b;"},
        {"\n\n# note\nfrom a\n  run  b  c  \n", "4 FROM a;5 RUN b  c;"},
        {"FROM a\r\nRUN b \\\r\n  c\r\nCMD d\r\n", "1 FROM a;2 RUN b   c;4 CMD d;"},
        {"FROM a\nRUN b \\\n# said in between\n\n  && c\nUSER x",
         "1 FROM a;2 RUN b   && c;6 USER x;"},
        {"# escape=`\nFROM a\nCOPY . c:\\\nRUN b `\n c", "2 FROM a;3 COPY . c:\\;4 RUN b  c;"},
        {"# syntax=docker/dockerfile:1\n# escape=`\nRUN a `\n b", "3 RUN a  b;"},
        {"# a comment ends the directives\n# escape=`\nRUN a `\nRUN b", "3 RUN a `;4 RUN b;"},
        {"\xef\xbb\xbf"
         "FROM a",
         "1 FROM a;"},
        {"#!/usr/bin/env x\n# escape=`\nRUN a `\nb", "3 RUN a b;"},
        {"RUN a \\", "1 RUN a;"},
        {"RUN a \\\\\nRUN b", "1 RUN a \\\\;2 RUN b;"},
        {"RUN <<EOF\na\n # no comment\nEOF\nRUN b", "1 RUN <<EOF\na\n # no comment\nEOF;5 RUN b;"},
        {"RUN <<-'E' cat\n\ta\n\tE\nRUN b", "1 RUN <<-'E' cat\na\nE;4 RUN b;"},
        {"COPY <<A <<B /x/\n1\nA\n2\nB\nRUN b", "1 COPY <<A <<B /x/\n1\nA\n2\nB;6 RUN b;"},
        {"RUN cat <<<EOF\nRUN b", "1 RUN cat <<<EOF;2 RUN b;"},
        {"RUN echo \"a <<EOF\"\nRUN b", "1 RUN echo \"a <<EOF\";2 RUN b;"},
        {"LABEL a=<<EOF\nRUN b", "1 LABEL a=<<EOF;2 RUN b;"},
        {"RUN <<EOF\nnever ends", "1 RUN <<EOF\nnever ends;"},
        {"ONBUILD RUN <<E\nx\nE\nRUN b", "1 ONBUILD RUN <<E\nx\nE;4 RUN b;"},
        {"COPY --from=x --chown=1:1 a b", "1 COPY a b;"},
        {"CMD --help", "1 CMD --help;"},
        {"FROM a\n\r\r\nRUN b\r\r\n\t\r", "1 FROM a;3 RUN b;"},
        {"", ""},
        {"# only this", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_DOCKERFILE struct dockerfile *file = parse(cases[i].text);
        AUTO_TEXT struct text found = {0};

        for (size_t at = 0; at < file->instruction_count; at++)
            text_format(&found, "%u %s %s;", file->instructions[at].line,
                        file->instructions[at].keyword, file->instructions[at].text);
        if (!text_equal(text_data(&found), cases[i].instructions))
            fail_msg("%s\nread as\n%s", cases[i].text, text_data(&found));
    }
}

static void flags_are_read(void **state)
{
    AUTO_DOCKERFILE struct dockerfile *file =
        parse("# syntax=docker/dockerfile:1\nFROM --platform=$BUILDPLATFORM a AS b\n"
              "COPY --link --from=b --chown=1:1 /x /y");

    (void)state;
    assert_string_equal(file->syntax, "docker/dockerfile:1");
    assert_string_equal(text_pairs_get(&file->instructions[0].flags, "platform"), "$BUILDPLATFORM");
    assert_string_equal(text_pairs_get(&file->instructions[1].flags, "from"), "b");
    assert_string_equal(text_pairs_get(&file->instructions[1].flags, "link"), "");
    assert_string_equal(file->stages[0].name, "b");
    assert_int_equal(file->instructions[1].stage, 0);
}

static void the_root_of_the_last_stage_is_found(void **state)
{
    static const struct {
        const char *text;
        const char *image; /* NULL: not known */
        enum answer pinned;
    } cases[] = {
        {"FROM a:1", "a:1", ANSWER_NO},
        {"FROM a:1" AT, "a:1" AT, ANSWER_YES},
        {"FROM a@sha256:short", "a@sha256:short", ANSWER_UNKNOWN},
        {"FROM scratch", "scratch", ANSWER_YES},
        {"FROM a" AT " AS x\nFROM b\nCOPY --from=x / /", "b", ANSWER_NO},
        {"FROM a AS X\nFROM b\nFROM x", "a", ANSWER_NO},
        {"FROM a AS x\nFROM x AS y\nFROM Y", "a", ANSWER_NO},
        {"FROM a AS x\nFROM b AS x\nFROM x", "b", ANSWER_NO},
        {"FROM node AS node\nFROM node", "node", ANSWER_NO}, /* the stage, whose image is node */
        {"ARG B=a:1\nFROM $B", "a:1", ANSWER_NO},
        {"ARG B=\"a:1" AT "\"\nFROM ${B}", "a:1" AT, ANSWER_YES},
        {"ARG V=1 N=a\nFROM $N:${V}-slim", "a:1-slim", ANSWER_NO},
        {"ARG V=1\nARG B=a:$V\nFROM $B", "a:1", ANSWER_NO},
        {"FROM a:${V:-2}", "a:2", ANSWER_NO},
        {"FROM a:${V-2}", "a:2", ANSWER_NO},
        {"ARG V=\nFROM a:1${V:+-x}", "a:1", ANSWER_NO},
        {"ARG V=3\nFROM a:1${V:+-x$V}", "a:1-x3", ANSWER_NO},
        {"ARG A=1\nFROM a:${B:-${A:-2}}", "a:1", ANSWER_NO},
        {"FROM a-$TARGETARCH", NULL, ANSWER_UNKNOWN},
        {"FROM a-$TARGETARCH" AT, NULL, ANSWER_YES},
        {"FROM a-${TARGETARCH:-amd64}", NULL, ANSWER_UNKNOWN},
        {"ARG V=1.2\nFROM a:${V%.*}", NULL, ANSWER_UNKNOWN},
        {"FROM ${", NULL, ANSWER_UNKNOWN},
        {"FROM $B", NULL, ANSWER_UNKNOWN},
        {"FROM", NULL, ANSWER_UNKNOWN},
        {"FROM a AS x\nARG B=x\nFROM $B", NULL, ANSWER_UNKNOWN}, /* only ARG before FROM counts */
        {"FROM a\nRUN <<EOF\nFROM b\nEOF", "a", ANSWER_NO},
        {"FROM a\nRUN x \\\nFROM b", "a", ANSWER_NO},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_DOCKERFILE struct dockerfile *file = parse(cases[i].text);
        const struct dockerfile_stage *root = dockerfile_root(file, dockerfile_target(file, NULL));

        if (!text_equal(root->image, cases[i].image) || root->pinned != cases[i].pinned)
            fail_msg("%s: %s, pinned %s", cases[i].text, root->image, answer_name(root->pinned));
    }
}

static void targets_are_names_or_numbers(void **state)
{
    AUTO_DOCKERFILE struct dockerfile *file = parse("FROM a AS x\nFROM b AS y\nFROM c");
    AUTO_DOCKERFILE struct dockerfile *empty = parse("RUN x");

    (void)state;
    assert_int_equal(dockerfile_target(file, NULL), 2);
    assert_int_equal(dockerfile_target(file, ""), 2);
    assert_int_equal(dockerfile_target(file, "Y"), 1);
    assert_int_equal(dockerfile_target(file, "0"), 0);
    assert_int_equal(dockerfile_target(file, "3"), -1);
    assert_int_equal(dockerfile_target(file, "z"), -1);
    assert_int_equal(dockerfile_target(empty, NULL), -1);
    assert_int_equal(dockerfile_target(empty, "0"), -1);
}

/* What the text alone cannot show. */
static void the_call_changes_the_base(void **state)
{
    struct text_pairs arguments = {0};
    struct text_pairs contexts = {0};
    const struct dockerfile_call call = {.arguments = &arguments, .contexts = &contexts};
    static const struct {
        const char *text;
        const char *image;
        enum answer pinned;
    } cases[] = {
        {"ARG B=a\nFROM $B", "given" AT, ANSWER_YES},
        {"ARG B\nFROM $B", "given" AT, ANSWER_YES},
        {"FROM a$B", "a", ANSWER_NO}, /* it was never declared */
        {"FROM replaced:1", "other" AT, ANSWER_YES},
        {"FROM local", NULL, ANSWER_UNKNOWN},
        {"FROM a AS stage\nFROM stage", "moved:2", ANSWER_NO},
    };

    (void)state;
    text_pairs_add(&arguments, "B", "given" AT);
    text_pairs_add(&contexts, "replaced:1", "docker-image://other" AT);
    text_pairs_add(&contexts, "local", "local:context");
    text_pairs_add(&contexts, "stage::linux/amd64", "docker-image://moved:2");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO_DOCKERFILE struct dockerfile *file = parse_with(cases[i].text, &call);
        const struct dockerfile_stage *root = dockerfile_root(file, dockerfile_target(file, NULL));

        if (!text_equal(root->image, cases[i].image) || root->pinned != cases[i].pinned)
            fail_msg("%s: %s, pinned %s", cases[i].text, root->image, answer_name(root->pinned));
    }
    text_pairs_release(&arguments);
    text_pairs_release(&contexts);
}

static void sources_of_files_are_listed(void **state)
{
    AUTO_DOCKERFILE struct dockerfile *file =
        parse("FROM a AS x\nCOPY --from=img:1 / /\nFROM b\nCOPY --from=x / /\nCOPY --from=0 / /\n"
              "RUN --mount=type=bind,from=img:2,target=/m --mount=type=cache,target=/c make\n"
              "ADD --from=none a b\nRUN echo --mount=from=no");

    (void)state;
    assert_int_equal(file->images.count, 3);
    assert_string_equal(file->images.items[0], "img:1");
    assert_string_equal(file->images.items[1], "img:2");
    assert_string_equal(file->images.items[2], "none");
}

static void what_is_too_much_is_refused(void **state)
{
    AUTO_TEXT struct text large = {0};
    AUTO_TEXT struct text many = {0};
    AUTO_TEXT struct text stages = {0};
    struct dockerfile *file = NULL;
    struct error err = {0};

    (void)state;
    for (unsigned i = 0; i <= DOCKERFILE_BYTES_MAX; i++)
        text_add_char(&large, '#');
    for (unsigned i = 0; i <= DOCKERFILE_INSTRUCTIONS_MAX; i++)
        text_add(&many, "RUN x\n");
    for (unsigned i = 0; i <= DOCKERFILE_STAGES_MAX; i++)
        text_add(&stages, "FROM x\n");
    assert_int_equal(dockerfile_parse(large.data, large.length, NULL, &file, &err), FAILURE_LIMIT);
    assert_int_equal(dockerfile_parse(many.data, many.length, NULL, &file, &err), FAILURE_LIMIT);
    assert_int_equal(dockerfile_parse(stages.data, stages.length, NULL, &file, &err),
                     FAILURE_LIMIT);
    assert_int_equal(dockerfile_parse("a\0b", 3, NULL, &file, &err), FAILURE_INPUT);
    assert_null(file);
}

/* Each argument is twice the one before: 2^60 bytes, were it put in whole. */
static void growing_arguments_stay_bounded(void **state)
{
    AUTO_TEXT struct text text = {0};

    (void)state;
    text_add(&text, "ARG A0=aaaaaaaaaaaaaaaa\n");
    for (unsigned i = 1; i <= 60; i++)
        text_format(&text, "ARG A%u=$A%u$A%u\n", i, i - 1, i - 1);
    text_add(&text, "FROM $A60\n");
    AUTO_DOCKERFILE struct dockerfile *file = parse(text.data);
    assert_true(!file->stages[0].image || strlen(file->stages[0].image) < 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instructions_have_lines),
        cmocka_unit_test(flags_are_read),
        cmocka_unit_test(the_root_of_the_last_stage_is_found),
        cmocka_unit_test(targets_are_names_or_numbers),
        cmocka_unit_test(the_call_changes_the_base),
        cmocka_unit_test(sources_of_files_are_listed),
        cmocka_unit_test(what_is_too_much_is_refused),
        cmocka_unit_test(growing_arguments_stay_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
