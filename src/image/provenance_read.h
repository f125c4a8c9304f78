/* What the files that read a statement share. Private to the room. */
#ifndef IMAGE_PROVENANCE_READ_H
#define IMAGE_PROVENANCE_READ_H

#include "regwarden/json.h"
#include "regwarden/provenance.h"

/* A statement out of whatever it is wrapped in. */
struct statement {
    struct json *json; /* owned */
    bool enveloped;
};
int statement_read(const char *bytes, size_t size, struct statement *ret, struct error *err);
enum provenance_subject statement_subject(const struct json *statement,
                                          const struct provenance_image *of);

/* Where the two versions of the predicate keep the same things; each borrowed, NULL when absent. */
struct predicate {
    const struct json *builder;
    const char *build_type;
    const struct json *config_source;
    const struct json *request;   /* frontend, args */
    const struct json *materials; /* an array of {uri, digest} */
    const struct json *build_config;
    const struct json *metadata; /* BuildKit's own */
    const struct json *external; /* parameters of version 1 */
};

/* A copy with secrets masked, bounded in length. Returns new; NULL for NULL. */
char *provenance_text(const char *text);
/* The same of a URL, whose credentials are taken out. */
char *provenance_url(const char *url);

/* An image's name taken apart: "docker.io/library/golang:1.20@sha256:…" gives golang, 1.20 and the
 * digest. */
struct image_name {
    char *name;
    char *tag; /* NULL */
    struct digest digest;
};
void image_name_split(const char *text, struct image_name *ret);
void image_name_release(struct image_name *name);
/* No tag is "latest", unless a digest is written. */
bool image_name_fits(const struct image_name *name, const struct material *material);

/* One entry of the materials. Fills a zeroed `ret`. */
void material_read(const struct json *entry, struct material *ret);
/* May an image build start from this material? */
bool material_is_image(const struct material *material);

/* What the build graph says of the last step. */
struct graph_base {
    bool found;
    bool scratch;
    char *step;  /* id of the source step, for its layers; NULL */
    char *image; /* with digest; NULL when the step does not say */
};
void graph_find_base(const struct json *build_config, struct graph_base *ret);
void graph_base_release(struct graph_base *base);

/* Dockerfile, roles of materials and base of a BuildKit statement. The materials are there. */
void provenance_find_base(const struct predicate *predicate, const struct manifest *manifest,
                          struct provenance *statement);

#endif
