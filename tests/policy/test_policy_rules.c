/* Every rule by table: settings, what differs from a good image, where it stands, and what must
 * come out. Facts are laid over the image that examples differ from. */
#include "cmocka_all.h"
#include "policy_rows.h"

#include "regwarden/memory.h"

#define USER(user) "{ config: { user: '" user "' } }"
#define UNREAD "groups: { files: { state: absent, reason: too large } }"
#define UNREAD_USER(user) "{ config: { user: '" user "' }, " UNREAD " }"
#define USER_IN(user, users) "{ config: { user: '" user "' }, files: { users: [" users "] } }"

static void test_non_root(void **state)
{
    static const struct row rows[] = {
        {.facts = "{}", .judgement = RULE_PASS},
        {.facts = USER("1000"), .judgement = RULE_PASS},
        {.facts = USER("1000:0"), .judgement = RULE_PASS},
        {.facts = USER("+1000"), .judgement = RULE_PASS},
        {.facts = USER("2147483647"), .judgement = RULE_PASS},
        {.facts = USER(""), .judgement = RULE_FAIL, .message = "no user is set"},
        {.facts = USER("root"), .judgement = RULE_FAIL, .message = "is root"},
        {.facts = USER("root:root"), .judgement = RULE_FAIL},
        {.facts = USER("root:1000"), .judgement = RULE_FAIL},
        {.facts = USER("0"), .judgement = RULE_FAIL},
        {.facts = USER("00"), .judgement = RULE_FAIL},
        {.facts = USER("000"), .judgement = RULE_FAIL},
        {.facts = USER("+0"), .judgement = RULE_FAIL},
        {.facts = USER("-0"), .judgement = RULE_FAIL},
        {.facts = USER("0:0"), .judgement = RULE_FAIL},
        {.facts = USER("0:1000"), .judgement = RULE_FAIL},
        {.facts = USER(":1000"), .judgement = RULE_FAIL, .message = "names no user"},
        {.facts = USER(":"), .judgement = RULE_FAIL},
        {.facts = USER("-1"), .judgement = RULE_FAIL, .message = "not a user id"},
        {.facts = USER("2147483648"), .judgement = RULE_FAIL, .message = "not a user id"},
        {.facts = USER("18446744073709551616"), .judgement = RULE_FAIL},
        {.facts = USER("1000:1000:1"), .judgement = RULE_FAIL, .message = "more than one colon"},
        {.facts = UNREAD_USER("node"),
         .judgement = RULE_UNKNOWN,
         .message = "until the layers are read, for a name may have the user id 0: too large"},
        {.facts = UNREAD_USER("toor"), .judgement = RULE_UNKNOWN},
        {.facts = UNREAD_USER("0x0"),
         .judgement = RULE_UNKNOWN}, /* runtimes take these for names */
        {.facts = UNREAD_USER(" 0"), .judgement = RULE_UNKNOWN},
        {.facts = UNREAD_USER("1_000"), .judgement = RULE_UNKNOWN},
        {.facts = UNREAD_USER("Root"), .judgement = RULE_UNKNOWN},
        {.facts = UNREAD_USER("1000"), .judgement = RULE_PASS},
        {.facts =
             "{ config: { user: node }, files: { passwd: { there: unknown, reason: a link } } }",
         .judgement = RULE_UNKNOWN,
         .message = "a link"},
        {.facts = USER("nonroot"), .judgement = RULE_PASS},
        {.facts = USER("nonroot:nonroot"), .judgement = RULE_PASS},
        {.facts = USER("nonroot:nobody"), .judgement = RULE_FAIL, .message = "names a group"},
        {.facts = USER("node"),
         .judgement = RULE_FAIL,
         .message = "is not in the image's /etc/passwd"},
        {.facts = USER("Root"), .judgement = RULE_FAIL, .message = "would not start"},
        {.facts = "{ config: { user: node }, files: { passwd: { there: no } } }",
         .judgement = RULE_FAIL,
         .message = "has no /etc/passwd"},
        {.facts = USER_IN("toor", "{ name: toor, uid: 0 }"),
         .judgement = RULE_FAIL,
         .message = "has the user id 0 in the image's /etc/passwd: it is root"},
        {.facts = USER_IN("a", "{ name: a, uid: 1 }, { name: a, uid: 0 }"), .judgement = RULE_PASS},
        {.facts = USER_IN("a", "{ name: a, uid: 0 }, { name: a, uid: 1 }"), .judgement = RULE_FAIL},
        {"{ min-uid: 1000 }",
         USER_IN("www-data", "{ name: www-data, uid: 33 }"),
         RULE_FAIL,
         "below the smallest",
         {0}},
        {"{ allow-named: [toor] }",
         USER_IN("toor", "{ name: toor, uid: 0 }"),
         RULE_FAIL,
         "it is root",
         {0}},
        {"{ allow-named: [node] }", UNREAD_USER("node"), RULE_PASS, NULL, {0}},
        {"{ numeric: true }", USER("node"), RULE_FAIL, "is a name", {0}},
        {"{ numeric: true }", USER("1000"), RULE_PASS, NULL, {0}},
        {"{ allow-named: [node] }", UNREAD_USER("node:node"), RULE_PASS, NULL, {0}},
        {"{ allow-named: ['*'] }", USER("root"), RULE_FAIL, NULL, {0}},
        {"{ allow-named: [node], numeric: true }", USER("node"), RULE_FAIL, NULL, {0}},
        {"{ min-uid: 1000 }", USER("999"), RULE_FAIL, "below the smallest", {0}},
        {"{ max-uid: 1000 }", USER("1001"), RULE_FAIL, "above the greatest", {0}},
        {"{ blocked: [nobody, '65534'] }", USER("nobody"), RULE_FAIL, "blocked", {0}},
        {"{ blocked: [nobody, '65534'] }", USER("65534:1"), RULE_FAIL, "blocked", {0}},
        {.facts = "{ config: { user: '', platform: { os: windows } } }", .judgement = RULE_UNKNOWN},
        /* podman and CRI-O run it on Linux, where ContainerUser is whoever its passwd says */
        {.facts = "{ config: { user: ContainerUser, platform: { os: windows } } }",
         .judgement = RULE_UNKNOWN},
        {"{ allow-named: [ContainerUser] }",
         "{ config: { user: ContainerUser, platform: { os: windows } } }",
         RULE_PASS,
         NULL,
         {0}},
        {.facts = "{ config: { user: ContainerAdministrator, platform: { os: windows } } }",
         .judgement = RULE_FAIL},
        {.facts = "{ config: null, groups: { config: { state: absent, reason: too large } } }",
         .judgement = RULE_UNKNOWN,
         .message = "config facts are missing: too large"},
    };

    (void)state;
    RUN_ROWS("non-root", rows);
}

/* As archives that nobody pushed hold them. */
#define NOT_COMPRESSED                                                                         \
    "{ manifest: { layers: [{ mediaType: application/vnd.docker.image.rootfs.diff.tar, size: " \
    "50000000, digest: \"sha256:"                                                              \
    "1111111111111111111111111111111111111111111111111111111111111111\" }] } }"

static void test_image_size(void **state)
{
    static const char by_runtime[] = "{ compressed: 40MB, by-runtime: { python: 46MB } }";
    const struct row rows[] = {
        {"{ compressed: 45002kB }", NULL, RULE_PASS, NULL, {0}},
        {"{ compressed: 45001999 }", NULL, RULE_FAIL, "the budget is", {0}},
        {"{ compressed: 40MB }", NULL, RULE_FAIL, "40 MB are the base's, 5 MB are own", {0}},
        {"{ compressed: 40MB }", NULL, RULE_FAIL, "step 6: pip install", {0}},
        {by_runtime, NULL, RULE_PASS, NULL, {0}},
        {by_runtime, "{ runtime: { name: go } }", RULE_FAIL, "the budget is 40 MB", {0}},
        {by_runtime, "{ runtime: { name: unknown } }", RULE_FAIL, "the budget is 40 MB", {0}},
        {"{ by-runtime: { go: 1MB } }", NULL, RULE_PASS, NULL, {0}}, /* no budget for python */
        {"{ by-runtime: { python: 1MB } }", NULL, RULE_FAIL, "the budget for python", {0}},
        {"{ compressed: 40MB }", "{ base: { layerCount: null } }", RULE_FAIL, "45 MB", {0}},
        {"{ compressed: 40MB }", NOT_COMPRESSED, RULE_UNKNOWN, "not compressed here", {0}},
        {"{ compressed: 50MB }", NOT_COMPRESSED, RULE_PASS, NULL, {0}},
        {"{ compressed: 40MB }", NOT_COMPRESSED, RULE_FAIL, "50 MB", {.registry = "hub"}},
        {"{ max-layers: 4 }", NULL, RULE_PASS, NULL, {0}},
        {"{ max-layers: 3 }", NULL, RULE_FAIL, "has 4 layers; 3 are allowed", {0}},
    };

    (void)state;
    RUN_ROWS("image-size", rows);
}

static void test_bases(void **state)
{
    static const struct row pinned[] = {
        {.judgement = RULE_PASS},
        {.facts = "{ base: { pinned: no } }",
         .judgement = RULE_FAIL,
         .message = "python:3.14-slim is not pinned"},
        {.facts = "{ base: { pinned: unknown } }", .judgement = RULE_UNKNOWN},
        {.facts = "{ base: { pinned: unknown, name: null, digest: null } }",
         .judgement = RULE_UNKNOWN,
         .message = "of unknown name"},
        {.facts = "{ base: { name: scratch, digest: null, pinned: unknown } }",
         .judgement = RULE_PASS},
        {.facts = "{ base: null, groups: { base: { state: absent, reason: nothing says } } }",
         .judgement = RULE_UNKNOWN},
        {"{ min-evidence: provenance }",
         "{ base: { evidence: label } }",
         RULE_UNKNOWN,
         "by label only",
         {0}},
        {"{ min-evidence: provenance }", NULL, RULE_PASS, NULL, {0}},
        {"{ min-evidence: signed-provenance }", NULL, RULE_UNKNOWN, NULL, {0}},
        /* Whoever builds can annotate an image with "scratch". */
        {"{ min-evidence: provenance }",
         "{ base: { name: scratch, digest: null, pinned: yes, evidence: annotation } }",
         RULE_UNKNOWN,
         "by annotation only",
         {0}},
    };
#define BASE(name) "{ base: { name: '" name "' } }"
    static const struct row allowed[] = {
        {"{ allow: ['docker.io/library/python:*'] }", NULL, RULE_PASS, NULL, {0}},
        {"{ allow: ['python'] }", NULL, RULE_PASS, NULL, {0}},
        {"{ allow: ['python:3.14-*'] }", NULL, RULE_PASS, NULL, {0}},
        {"{ allow: ['python:3.13-*'] }", NULL, RULE_FAIL, "not one of the allowed", {0}},
        {"{ allow: ['python'] }", BASE("python:3.14"), RULE_PASS, NULL, {0}},
        {"{ allow: ['python'] }", BASE("evil/python:3.14"), RULE_FAIL, NULL, {0}},
        {"{ allow: ['python'] }", BASE("evil.example/library/python"), RULE_FAIL, NULL, {0}},
        {"{ allow: ['reg.example:5000/base/**'] }",
         BASE("reg.example:5000/base/a/b:1"),
         RULE_PASS,
         NULL,
         {0}},
        {"{ allow: ['reg.example:5000/base/**'] }",
         BASE("reg.example/base/a"),
         RULE_FAIL,
         NULL,
         {0}},
        {"{ deny: ['**:latest'] }", BASE("python"), RULE_FAIL, "denied", {0}},
        {"{ deny: ['**:latest'] }", BASE("python:latest"), RULE_FAIL, "denied", {0}},
        {"{ deny: ['**:latest'] }", BASE("python:3"), RULE_PASS, NULL, {0}},
        {"{ deny: ['**:latest'] }",
         BASE("python@sha256:"
              "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
         RULE_PASS,
         NULL,
         {0}},
        {"{ allow: ['**'], deny: [ubuntu] }",
         BASE("docker.io/library/ubuntu:24.04"),
         RULE_FAIL,
         "denied",
         {0}},
        {"{ allow: ['*', '!ubuntu'] }", BASE("ubuntu:24.04"), RULE_FAIL, "not one of", {0}},
        {"{ allow: ['*', '!ubuntu'] }", BASE("debian:13"), RULE_PASS, NULL, {0}},
        {"{ allow: [a] }", BASE("scratch"), RULE_PASS, NULL, {0}},
        {"{ allow-scratch: false }", BASE("scratch"), RULE_FAIL, "from scratch", {0}},
        {"{ allow: [a] }", "{ base: { name: null } }", RULE_UNKNOWN, "nothing says", {0}},
        {"{ deny: [a] }", "{ base: { name: null } }", RULE_UNKNOWN, "nothing says", {0}},
        {"{ allow: ['python'], min-evidence: provenance }",
         "{ base: { name: python, evidence: label } }",
         RULE_UNKNOWN,
         "by label only",
         {0}},
        {"{ allow: ['python'], min-evidence: provenance }",
         "{ base: { name: evil, evidence: label } }",
         RULE_FAIL,
         NULL,
         {0}},
        {"{ allow: ['python'], min-evidence: provenance }",
         "{ base: { name: scratch, evidence: annotation } }",
         RULE_UNKNOWN,
         NULL,
         {0}},
        {"{ allow: ['python'], min-evidence: annotation }",
         "{ base: { name: python, evidence: provenance } }",
         RULE_PASS,
         NULL,
         {0}},
    };

    (void)state;
    RUN_ROWS("base-pinned", pinned);
    RUN_ROWS("base-allowed", allowed);
}

#define DIGEST_7                                       \
    "sha256:07070707070707070707070707070707070707070" \
    "70707070707070707070707"

/* What the catalogue of bases adds. anchore-engine#127: FROM not_in scratch,distroless passed
 * ubuntu, for nothing said what the base was. */
static void test_known_bases(void **state)
{
    static const struct row allowed[] = {
        /* known by its layers: it has several names, one of them is allowed */
        {"{ allow: ['reg.example/base/**'], min-evidence: layers }",
         "{ base: { known: yes, evidence: layers, name: python, names: [{ name: python },"
         " { name: reg.example/base/python }] } }",
         RULE_PASS,
         NULL,
         {0}},
        {"{ allow: ['reg.example/base/**'], deny: [python] }",
         "{ base: { known: yes, evidence: layers, names: [{ name: python },"
         " { name: reg.example/base/python }] } }",
         RULE_FAIL,
         "denied",
         {0}},
        /* a claim that the catalogue does not know, on top of an allowed base */
        {"{ allow: [debian], min-evidence: layers }",
         "{ base: { known: no, evidence: annotation, name: team/a, ancestors: [{ name: debian }] } "
         "}",
         RULE_PASS,
         NULL,
         {0}},
        /* and on top of a denied one, which it may be made up to hide */
        {"{ allow: ['**'], deny: [ubuntu] }",
         "{ base: { known: no, evidence: annotation, name: team/a, ancestors: [{ name: ubuntu }] } "
         "}",
         RULE_FAIL,
         "ubuntu is denied",
         {0}},
        {"{ allow: ['**'], deny: [ubuntu] }",
         "{ base: { known: yes, evidence: layers, name: team/a, names: [{ name: team/a }],"
         " ancestors: [{ name: ubuntu }] } }",
         RULE_PASS,
         NULL,
         {0}},
        /* annotated with an allowed name: believed by annotation, not by layers */
        {"{ allow: [python], min-evidence: layers }",
         "{ base: { known: no, evidence: annotation, name: python } }",
         RULE_UNKNOWN,
         "by annotation only",
         {0}},
        {"{ allow: [python] }",
         "{ base: { known: no, name: null, digest: null, evidence: none, contradictions:"
         " [{ conflict: layers, source: annotation, name: python }] } }",
         RULE_FAIL,
         "its layers contradict",
         {0}},
        {"{ deny: [ubuntu] }",
         "{ base: { known: no, name: null, digest: null, evidence: none } }",
         RULE_UNKNOWN,
         "nothing says",
         {0}},
    };
    static const struct row known[] = {
        {.judgement = RULE_UNKNOWN, .message = "no bases are known"},
        {.facts = "{ base: { known: yes } }", .judgement = RULE_PASS},
        {.facts = "{ base: { known: no, isBase: true } }", .judgement = RULE_PASS},
        {.facts = "{ base: { known: no } }",
         .judgement = RULE_FAIL,
         .message = "python:3.14-slim, which is not known"},
        {.facts = "{ base: { known: no, name: null } }",
         .judgement = RULE_FAIL,
         .message = "no known base"},
        {.facts = "{ base: { name: scratch } }", .judgement = RULE_PASS},
        {"{ allow-scratch: false }", "{ base: { name: scratch } }", RULE_FAIL, "scratch", {0}},
        {.facts = "{ base: { known: yes, contradictions: [{ conflict: name, source: label, name: "
                  "alpine }] } }",
         .judgement = RULE_FAIL,
         .message = "by its label the image is built on alpine, but its layers begin with those of "
                    "docker.io/library/python:3.14-slim"},
        {"{ contradictions: none }",
         "{ base: { known: yes, contradictions: [{ conflict: name, source: label, name: a }] } }",
         RULE_PASS,
         NULL,
         {0}},
        {.facts = "{ base: { known: yes, contradictions: [{ conflict: digest, source: annotation, "
                  "name: python, digest: '" DIGEST_7 "' }] } }",
         .judgement = RULE_PASS},
        {"{ contradictions: all }",
         "{ base: { known: yes, contradictions: [{ conflict: digest, source: annotation, name: "
         "python, digest: '" DIGEST_7 "' }] } }",
         RULE_FAIL,
         "another digest",
         {0}},
    };
    (void)state;
    RUN_ROWS("base-allowed", allowed);
    RUN_ROWS("base-known", known);
}

/* The image is judged at support_now_ms(). */
static void test_fresh_bases(void **state)
{
    static const struct row fresh[] = {
        {.judgement = RULE_UNKNOWN, .message = "no bases are known"},
        {.facts = "{ base: { name: scratch } }", .judgement = RULE_PASS},
        {.facts = "{ base: { known: yes } }", .judgement = RULE_PASS},
        {.facts = "{ base: { known: no } }", .judgement = RULE_UNKNOWN, .message = "is not known"},
        {.facts = "{ base: { known: no, name: null } }", .judgement = RULE_UNKNOWN},
        {.facts = "{ base: { known: yes, supersededAt: '2020-01-01T00:00:00Z', current: '" DIGEST_7
                  "' } }",
         .judgement = RULE_FAIL,
         .message = "names another image (sha256:070707070707…) since 2020-01-01"},
        /* only claimed, and the name names an image that this one is not built on */
        {.facts = "{ base: { known: no, evidence: label, supersededAt: '2020-01-01T00:00:00Z', "
                  "current: '" DIGEST_7 "' } }",
         .judgement = RULE_FAIL},
        {"{ grace: 60d }",
         "{ base: { known: yes, supersededAt: '2030-01-01T00:00:00Z' } }",
         RULE_PASS,
         NULL,
         {0}},
        {"{ any-name: true }",
         "{ base: { known: yes, names: [{ name: a }, { name: b, supersededAt: "
         "'2020-01-01T00:00:00Z' }] } }",
         RULE_FAIL,
         "b names another image",
         {0}},
        {.facts = "{ base: { known: yes, names: [{ name: a }, { name: b, supersededAt: "
                  "'2020-01-01T00:00:00Z' }] } }",
         .judgement = RULE_PASS},
        {"{ max-age: 30d }",
         "{ base: { known: yes, created: '2020-01-01T00:00:00Z' } }",
         RULE_FAIL,
         "was built",
         {0}},
        /* a reproducible build: when it was seen first counts */
        {"{ max-age: 30d }",
         "{ base: { known: yes, created: '1970-01-01T00:00:00Z', since: '2020-01-01T00:00:00Z' } }",
         RULE_FAIL,
         "was first seen",
         {0}},
        {"{ max-age: 30d }", "{ base: { known: yes } }", RULE_UNKNOWN, "cannot be told", {0}},
    };
    (void)state;
    RUN_ROWS("base-fresh", fresh);
}

static void test_tags(void **state)
{
    static const struct row name[] = {
        {.judgement = RULE_PASS}, /* untagged */
        {.judgement = RULE_PASS, .placement = {.tag = "v1"}},
        {.judgement = RULE_FAIL, .message = "\"latest\" is denied", .placement = {.tag = "latest"}},
        {"{ deny: [] }", NULL, RULE_PASS, NULL, {.tag = "latest"}},
        {"{ allow: ['v*'] }", NULL, RULE_PASS, NULL, {.tag = "v1"}},
        {"{ allow: ['v*'] }", NULL, RULE_FAIL, "matches none", {.tag = "1"}},
        {"{ allow: ['v*'], deny: ['*-dirty'] }", NULL, RULE_FAIL, "denied", {.tag = "v1-dirty"}},
        {"{ format: semver }", NULL, RULE_PASS, NULL, {.tag = "v1.2.3"}},
        {"{ format: semver }", NULL, RULE_FAIL, "not a semantic version", {.tag = "v1.2"}},
        {"{ format: git-hash }", NULL, RULE_PASS, NULL, {.tag = "0123abc"}},
        {"{ format: git-hash }", NULL, RULE_FAIL, "not a git commit hash", {.tag = "main"}},
    };
    static const struct row immutable[] = {
        {.judgement = RULE_PASS}, /* untagged */
        {.judgement = RULE_UNKNOWN, .placement = {.tag = "v1"}},
        {.judgement = RULE_PASS, .placement = {.tag = "v1", .previous_is_known = true}},
        {.judgement = RULE_PASS,
         .placement = {.tag = "v1",
                       .previous_is_known = true,
                       .digest = {.algorithm = DIGEST_SHA256, .bytes = {1}},
                       .previous = {.algorithm = DIGEST_SHA256, .bytes = {1}}}},
        {.judgement = RULE_FAIL,
         .message = "was moved from 020000000000 to 010000000000",
         .placement = {.tag = "v1",
                       .previous_is_known = true,
                       .digest = {.algorithm = DIGEST_SHA256, .bytes = {1}},
                       .previous = {.algorithm = DIGEST_SHA256, .bytes = {2}}}},
        {"{ except: [latest, '*-dev'] }",
         NULL,
         RULE_PASS,
         NULL,
         {.tag = "1-dev",
          .previous_is_known = true,
          .digest = {.algorithm = DIGEST_SHA256, .bytes = {1}},
          .previous = {.algorithm = DIGEST_SHA256, .bytes = {2}}}},
        {"{ except: [latest] }", NULL, RULE_PASS, NULL, {.tag = "latest"}},
    };

    (void)state;
    RUN_ROWS("tag-name", name);
    RUN_ROWS("tag-immutable", immutable);
}

static void test_required_labels(void **state)
{
    static const char source[] = "{ labels: { org.opencontainers.image.source: url } }";
    static const struct row rows[] = {
        {source, NULL, RULE_PASS, NULL, {0}},
        {source,
         "{ config: { labels: { org.opencontainers.image.source: null } } }",
         RULE_FAIL,
         "org.opencontainers.image.source is missing",
         {0}},
        {source,
         "{ config: { labels: { org.opencontainers.image.source: here } } }",
         RULE_FAIL,
         "is \"here\", which is not a URL",
         {0}},
        {source,
         "{ config: { labels: null }, manifest: { annotations: { org.opencontainers.image.source: "
         "'https://a.example' } } }",
         RULE_PASS,
         NULL,
         {0}},
        {"{ annotations: false, labels: { a: text } }",
         "{ manifest: { annotations: { a: b } } }",
         RULE_FAIL,
         "missing",
         {0}},
        {"{ labels: { a: text } }",
         "{ config: { labels: { a: ' ' } } }",
         RULE_FAIL,
         "not empty",
         {0}},
        {"{ labels: { a: 'exact:b c' } }",
         "{ config: { labels: { a: b c } } }",
         RULE_PASS,
         NULL,
         {0}},
        {"{ labels: { a: 'exact:b' } }",
         "{ config: { labels: { a: B } } }",
         RULE_FAIL,
         "must be \"b\"",
         {0}},
        {"{ labels: { a: 'glob:team-*' } }",
         "{ config: { labels: { a: team-x } } }",
         RULE_PASS,
         NULL,
         {0}},
        {"{ labels: { a: 'glob:team-*' } }",
         "{ config: { labels: { a: other } } }",
         RULE_FAIL,
         "does not match",
         {0}},
        {"{ labels: { a: 'glob:!unknown' } }",
         "{ config: { labels: { a: unknown } } }",
         RULE_FAIL,
         NULL,
         {0}},
        {"{ labels: { org.opencontainers.image.licenses: spdx, "
         "org.opencontainers.image.version: semver, org.opencontainers.image.revision: git-hash, "
         "org.opencontainers.image.created: rfc3339, org.opencontainers.image.authors: email } }",
         NULL,
         RULE_PASS,
         NULL,
         {0}},
        {"{ labels: { A: text } }", "{ config: { labels: { a: x } } }", RULE_FAIL, "missing", {0}},
    };

    (void)state;
    RUN_ROWS("required-labels", rows);
}

#define PORTS(list) "{ config: { exposedPorts: [" list "] } }"

static void test_exposed_ports(void **state)
{
    static const struct row rows[] = {
        {.judgement = RULE_PASS},
        {.facts = PORTS("22/tcp"), .judgement = RULE_FAIL, .message = "22/tcp is denied"},
        {.facts = PORTS("'22'"), .judgement = RULE_FAIL}, /* no protocol is TCP */
        {.facts = PORTS("20-30/tcp"), .judgement = RULE_FAIL},
        {.facts = PORTS("22/udp"), .judgement = RULE_PASS},
        {.facts = PORTS("2222/tcp"), .judgement = RULE_PASS},
        {.facts = PORTS("70000/tcp"), .judgement = RULE_FAIL, .message = "is not a port"},
        {.facts = PORTS("http"), .judgement = RULE_FAIL, .message = "is not a port"},
        {.facts = PORTS("''"), .judgement = RULE_FAIL, .message = "is not a port"},
        {.facts = PORTS("80/xyz"), .judgement = RULE_FAIL, .message = "is not a port"},
        {"{ allow: [8080, 9000-9099] }", PORTS("8080/tcp, 9050/udp"), RULE_PASS, NULL, {0}},
        {"{ allow: [8080/udp] }", PORTS("8080/tcp"), RULE_FAIL, "not one of the allowed", {0}},
        {"{ allow: [9000-9099] }", PORTS("9090-9100/tcp"), RULE_FAIL, "not one of", {0}},
        {"{ allow: [9000-9099], deny: [9050] }", PORTS("9050/tcp"), RULE_FAIL, "denied", {0}},
        {"{ deny: [] }", PORTS("22/tcp"), RULE_PASS, NULL, {0}},
        {"{ allow-privileged: false }", PORTS("80/tcp"), RULE_FAIL, "below 1024", {0}},
        {"{ allow-privileged: false }", PORTS("1024/tcp"), RULE_PASS, NULL, {0}},
        {"{ allow: [8080] }", PORTS(""), RULE_PASS, NULL, {0}},
    };

    (void)state;
    RUN_ROWS("exposed-ports", rows);
}

static void test_config_rules(void **state)
{
    static const struct row healthcheck[] = {
        {.judgement = RULE_PASS},
        {.facts = "{ config: { healthcheck: null } }", .judgement = RULE_FAIL, .message = "has no"},
        {.facts = "{ config: { healthcheck: { test: [NONE] } } }",
         .judgement = RULE_FAIL,
         .message = "switched off"},
        {"{ allow-none: true }",
         "{ config: { healthcheck: { test: [NONE] } } }",
         RULE_PASS,
         NULL,
         {0}},
        {.facts = "{ config: { healthcheck: { test: [] } } }", .judgement = RULE_FAIL},
        {.facts = "{ config: { healthcheck: { test: [''] } } }", .judgement = RULE_FAIL},
        {.facts = "{ config: { healthcheck: { test: [CMD] } } }",
         .judgement = RULE_FAIL,
         .message = "names no command"},
    };
    static const struct row volumes[] = {
        {.judgement = RULE_PASS},
        {.facts = "{ config: { volumes: [/data] } }", .judgement = RULE_PASS},
        {.facts = "{ config: { volumes: [/proc] } }", .judgement = RULE_FAIL},
        {.facts = "{ config: { volumes: [/dev/shm/] } }", .judgement = RULE_FAIL},
        {.facts = "{ config: { volumes: [/var/../sys//fs] } }", .judgement = RULE_FAIL},
        {.facts = "{ config: { volumes: [/processes] } }", .judgement = RULE_PASS},
        {.facts = "{ config: { volumes: [/var/run/docker.sock] } }", .judgement = RULE_FAIL},
        {"{ allow: [/data, '/var/lib/**'] }",
         "{ config: { volumes: [/var/lib/x/y] } }",
         RULE_PASS,
         NULL,
         {0}},
        {"{ allow: [/data] }", "{ config: { volumes: [/other] } }", RULE_FAIL, "not one of", {0}},
        {"{ none: true }", "{ config: { volumes: [/data] } }", RULE_FAIL, "allows none", {0}},
    };
    static const struct row workdir[] = {
        {.judgement = RULE_PASS},
        {.facts = "{ config: { workingDir: '' } }", .judgement = RULE_PASS},
        {"{ allow-root: false }",
         "{ config: { workingDir: '' } }",
         RULE_FAIL,
         "root directory",
         {0}},
        {"{ allow-root: false }",
         "{ config: { workingDir: / } }",
         RULE_FAIL,
         "root directory",
         {0}},
        {.facts = "{ config: { workingDir: app } }", .judgement = RULE_FAIL, .message = "absolute"},
        {.facts = "{ config: { workingDir: /etc/app } }", .judgement = RULE_FAIL},
        {.facts = "{ config: { workingDir: /usr/bin } }", .judgement = RULE_FAIL},
        {.facts = "{ config: { workingDir: /usr/src/app } }", .judgement = RULE_PASS},
        {.facts = "{ config: { workingDir: 'C:\\app', platform: { os: windows } } }",
         .judgement = RULE_PASS},
        {.facts = "{ config: { workingDir: 'C:\\app' } }", .judgement = RULE_FAIL},
    };
    static const struct row platforms[] = {
        {"{ allow: [linux/amd64] }", NULL, RULE_PASS, NULL, {0}},
        {"{ allow: [linux/arm64] }", NULL, RULE_FAIL, "linux/amd64, which is not", {0}},
        {"{ allow: [linux/arm] }",
         "{ config: { platform: { architecture: arm, variant: v7 } } }",
         RULE_PASS,
         NULL,
         {0}},
        {"{ allow: ['*'] }",
         "{ config: { platform: { os: null } } }",
         RULE_UNKNOWN,
         "does not say",
         {0}},
        {"{ allow: ['*'] }",
         NULL,
         RULE_FAIL,
         "the index says linux/arm64",
         {.platform = "linux/arm64/v8"}},
        {"{ allow: ['*'] }", NULL, RULE_PASS, NULL, {.platform = "linux/amd64/v2"}},
    };

    (void)state;
    RUN_ROWS("healthcheck", healthcheck);
    RUN_ROWS("volumes", volumes);
    RUN_ROWS("workdir", workdir);
    RUN_ROWS("platforms", platforms);
}

static void test_entrypoint(void **state)
{
#define COMMAND(entrypoint, shell, cmd, cmd_shell)                                       \
    "{ config: { entrypoint: [" entrypoint "], entrypointIsShell: " shell ", cmd: [" cmd \
    "], cmdIsShell: " cmd_shell " } }"
    static const struct row rows[] = {
        {.judgement = RULE_PASS},
        {.facts = COMMAND("", "false", "", "false"), .judgement = RULE_FAIL, .message = "neither"},
        {.facts = COMMAND("", "false", "/app", "false"), .judgement = RULE_PASS},
        {"{ required: false }", COMMAND("", "false", "", "false"), RULE_PASS, NULL, {0}},
        {.facts = COMMAND("/bin/sh, -c, java -jar a.jar", "true", "", "false"),
         .judgement = RULE_FAIL,
         .message = "entry point is in shell form"},
        {.facts = COMMAND("/bin/sh, -c, 'set -e; exec java -jar a.jar'", "true", "", "false"),
         .judgement = RULE_PASS},
        {.facts = COMMAND("/bin/sh, -c, 'exec true; java -jar a.jar'", "true", "", "false"),
         .judgement = RULE_FAIL},
        {.facts = COMMAND("", "false", "/bin/sh, -c, npm start", "true"),
         .judgement = RULE_FAIL,
         .message = "command is in shell form"},
        {.facts = COMMAND("/entry", "false", "/bin/sh, -c, npm start", "true"),
         .judgement = RULE_PASS},
        {"{ exec-form: false }",
         COMMAND("", "false", "/bin/sh, -c, npm start", "true"),
         RULE_PASS,
         NULL,
         {0}},
    };

    (void)state;
    RUN_ROWS("entrypoint", rows);
}

static void test_env(void **state)
{
    static const struct row rows[] = {
        {"{ required: [PATH] }", NULL, RULE_PASS, NULL, {0}},
        {"{ required: [LANG] }", NULL, RULE_FAIL, "LANG is not set", {0}},
        {"{ required: [LANG] }", "{ config: { env: { LANG: '' } } }", RULE_FAIL, "not set", {0}},
        {"{ forbidden: ['*_PROXY'] }", NULL, RULE_PASS, NULL, {0}},
        {"{ forbidden: ['*_PROXY'] }",
         "{ config: { env: { HTTP_PROXY: 'http://p' } } }",
         RULE_FAIL,
         "HTTP_PROXY may not be set",
         {0}},
        {"{ values: { NODE_ENV: production } }", NULL, RULE_PASS, NULL, {0}},
        {"{ values: { NODE_ENV: production } }",
         "{ config: { env: { NODE_ENV: development } } }",
         RULE_FAIL,
         "NODE_ENV has a value",
         {0}},
        {"{ values: { DEBUG: '!true' } }",
         "{ config: { env: { DEBUG: 'true' } } }",
         RULE_FAIL,
         NULL,
         {0}},
        {"{ values: { DEBUG: '!true' } }",
         "{ config: { env: { DEBUG: 'false' } } }",
         RULE_PASS,
         NULL,
         {0}},
    };

    (void)state;
    RUN_ROWS("env", rows);
}

#define SECRET(more) "{ secrets: [{ kind: github-token, masked: 'ghp_****(40)', " more " }] }"

static void test_secrets(void **state)
{
    static const struct row rows[] = {
        {.judgement = RULE_PASS},
        {.facts = SECRET("place: env, key: API_TOKEN"),
         .judgement = RULE_FAIL,
         .message = "a secret (github-token, ghp_****(40)) stands in env API_TOKEN"},
        {.facts = SECRET("place: history, step: 6"), .judgement = RULE_FAIL},
        {"{ allow: [API_*] }", SECRET("place: env, key: API_TOKEN"), RULE_PASS, NULL, {0}},
        {"{ allow: ['*'] }", SECRET("place: history, step: 6"), RULE_FAIL, NULL, {0}},
        {"{ allow-kinds: [github-*] }", SECRET("place: history, step: 6"), RULE_PASS, NULL, {0}},
        {.facts = SECRET("place: history, step: 1"), .judgement = RULE_FAIL}, /* the base's */
        {"{ include-base: false }", SECRET("place: history, step: 1"), RULE_PASS, NULL, {0}},
        {"{ include-base: false }", SECRET("place: history, step: 6"), RULE_FAIL, NULL, {0}},
    };

    (void)state;
    RUN_ROWS("secrets", rows);
}

#define CREATED(time) "{ config: { created: " time " } }"

static void test_image_age(void **state)
{
    static const struct row rows[] = {
        {.judgement = RULE_PASS},
        {"{ max-age: 15d }", NULL, RULE_PASS, NULL, {0}},
        {"{ max-age: 13d }", NULL, RULE_FAIL, "2030-01-01T12:00:00Z", {0}},
        {.facts = CREATED("'2029-01-01T00:00:00Z'"), .judgement = RULE_FAIL},
        {.facts = CREATED("null"), .judgement = RULE_UNKNOWN, .message = "does not say when"},
        {.facts = CREATED("'0001-01-01T00:00:00Z'"), .judgement = RULE_UNKNOWN},
        {.facts = CREATED("'1970-01-01T00:00:00Z'"), .judgement = RULE_UNKNOWN},
        {.facts = CREATED("'1980-01-01T00:00:01Z'"), .judgement = RULE_UNKNOWN},
        {.facts = CREATED("'2099-01-01T00:00:00Z'"),
         .judgement = RULE_UNKNOWN,
         .message = "in the future"},
        {.facts = CREATED("'2030-01-15T12:30:00Z'"), .judgement = RULE_PASS}, /* clocks differ */
    };

    (void)state;
    RUN_ROWS("image-age", rows);
}

#define RUN(step, more) "{ history: { steps: { " step ": { kind: RUN, " more " } } } }"

static void test_forbidden_history(void **state)
{
    static const struct row rows[] = {
        {.judgement = RULE_PASS},
        {.facts = RUN("6", "text: sudo make install"),
         .judgement = RULE_FAIL,
         .message = "sudo: sudo is used in the build: sudo make install"},
        {.facts = RUN("1", "text: sudo make install"), .judgement = RULE_PASS}, /* the base's */
        {"{ include-base: true }", RUN("1", "text: sudo make"), RULE_FAIL, NULL, {0}},
        {.facts = RUN("6", "text: sudo make, origin: unknown"),
         .judgement = RULE_UNKNOWN,
         .message = "the step may be the base's"},
        {"{ checks: [apk-cache] }", RUN("6", "text: sudo make"), RULE_PASS, NULL, {0}},
        {"{ except: sudo }", RUN("6", "text: sudo make"), RULE_PASS, NULL, {0}},
        {"{ checks: all }", RUN("6", "text: apt-get install x"), RULE_FAIL, "apt-yes", {0}},
        {"{ checks: add-local }",
         "{ history: { steps: { 5: { kind: ADD, text: 'app.py .' } } } }",
         RULE_FAIL,
         "add-local",
         {0}},
        {"{ checks: add-local }",
         "{ history: { steps: { 5: { kind: ADD, text: 'file:0123 in /app' } } } }",
         RULE_UNKNOWN,
         "history does not say enough",
         {0}},
        {.facts = "{ history: { builder: unknown, steps: [{ kind: other, text: '', empty: false, "
                  "origin: unknown, shellForm: false }] } }",
         .judgement = RULE_UNKNOWN,
         .message = "does not say how it was built"},
        {.facts =
             "{ history: { builder: ko, steps: [{ kind: other, text: '', empty: false, origin: "
             "own, shellForm: false }] } }",
         .judgement = RULE_PASS},
        {.facts = "{ history: null, groups: { history: { state: absent, reason: none } } }",
         .judgement = RULE_UNKNOWN},
    };

    (void)state;
    RUN_ROWS("forbidden-history", rows);
}

static void test_findings_say_where(void **state)
{
    const struct row history = {.facts = RUN("6", "text: sudo make install")};
    const struct row user = {.facts = USER("root")};
    struct verdict verdict = {0};
    const struct finding *finding;

    (void)state;
    row_judge("forbidden-history", &history, &verdict);
    finding = &verdict.findings.items[0];
    assert_int_equal(finding->step, 6);
    assert_int_equal(finding->origin, ORIGIN_OWN);
    assert_string_equal(finding->evidence, "history");
    assert_string_equal(finding->path, "sudo");
    assert_true(digest_is_set(&finding->layer));
    assert_non_null(strstr(finding->remedy, "setpriv"));
    verdict_release(&verdict);
    row_judge("non-root", &user, &verdict);
    finding = &verdict.findings.items[0];
    assert_int_equal(finding->step, 8);
    assert_int_equal(finding->origin, ORIGIN_OWN);
    assert_string_equal(finding->evidence, "config");
    verdict_release(&verdict);
}

static void test_steps_are_shown_on_one_line(void **state)
{
    const struct row row = {.facts =
                                RUN("6", "text: \"set -x; \\t\\n\\t  sudo make  install\\n\"")};
    struct verdict verdict = {0};

    (void)state;
    row_judge("forbidden-history", &row, &verdict);
    assert_string_equal(verdict.findings.items[0].message,
                        "sudo: sudo is used in the build: set -x; sudo make install");
    verdict_release(&verdict);
}

static void test_hostile_text_is_made_printable(void **state)
{
    const struct row row = {.facts = "{ config: { user: \"a\\e[31m\\r\\n\" } }"};
    struct verdict verdict = {0};

    (void)state;
    row_judge("non-root", &row, &verdict);
    for (const char *c = verdict.findings.items[0].message; *c; c++)
        assert_true((unsigned char)*c >= ' ');
    verdict_release(&verdict);
}

/* What the table promises: names in order, words for help, an example that compiles. */
static void test_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < rule_count(); i++) {
        const struct rule_type *type = rule_at(i);
        AUTO_FREE char *yaml = NULL;
        AUTO_TEXT struct text indented = {0};
        struct policy_set *set = NULL;
        struct error err = {0};

        if (i > 0)
            assert_true(strcmp(rule_name(rule_at(i - 1)), rule_name(type)) < 0);
        assert_ptr_equal(rule_find(rule_name(type)), type);
        assert_true(strlen(rule_summary(type)) > 20);
        assert_true(strlen(rule_description(type)) > 100);
        assert_non_null(type->remedy);
        assert_true(rule_needs(type) != 0);
        assert_ptr_equal(rule_params(type), type->params);
        assert_true(rule_severity(type) <= SEVERITY_CRITICAL);
        for (const char *c = rule_example(type); *c; c++) {
            text_add_char(&indented, *c);
            if (*c == '\n' && c[1])
                text_add(&indented, "    ");
        }
        yaml = text_new("policy: p\nrules:\n  - %s", text_data(&indented));
        const struct policy_source source = {rule_name(type), yaml, strlen(yaml)};
        if (policy_set_compile(&source, 1, NULL, NULL, &set, &err) < 0)
            fail_msg("%s\n%s", err.text, yaml);
        policy_set_free(set);
    }
    assert_null(rule_find("nonsense"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_non_root),
        cmocka_unit_test(test_image_size),
        cmocka_unit_test(test_bases),
        cmocka_unit_test(test_known_bases),
        cmocka_unit_test(test_fresh_bases),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_required_labels),
        cmocka_unit_test(test_exposed_ports),
        cmocka_unit_test(test_config_rules),
        cmocka_unit_test(test_entrypoint),
        cmocka_unit_test(test_env),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_image_age),
        cmocka_unit_test(test_forbidden_history),
        cmocka_unit_test(test_findings_say_where),
        cmocka_unit_test(test_steps_are_shown_on_one_line),
        cmocka_unit_test(test_hostile_text_is_made_printable),
        cmocka_unit_test(test_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
