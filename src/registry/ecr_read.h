/* What the API of Amazon ECR answers, as plain data. Follows the ECR API reference of 2015-09-21.
 * Pure; answers are hostile: other kinds of values than expected are refused or left out, names and
 * digests against the grammar are left out. */
#ifndef REGISTRY_ECR_READ_H
#define REGISTRY_ECR_READ_H

#include "regwarden/json.h"
#include "regwarden/registry.h"

enum { ECR_CURSOR_MAX = 8192, ECR_ROWS_MAX = 100000, ECR_FINDINGS_MAX = 20000 };

/* GetAuthorizationToken. */
struct ecr_token {
    char *header;       /* "Basic …"; new */
    int64_t expires_ms; /* wall clock, of AWS; 0: not said */
    char *proxy_host;   /* of the registry that it is for; new, NULL: not said */
};
/* FAILURE_INPUT. */
int ecr_read_token(const struct json *body, struct ecr_token *ret, struct error *err);
void ecr_token_release(struct ecr_token *token);

/* The cursor of any page: printable, at most ECR_CURSOR_MAX bytes; `ret` is new, NULL at the end.
 * FAILURE_INPUT. */
int ecr_read_cursor(const struct json *body, char **ret, struct error *err);

/* DescribeRepositories. */
int ecr_read_repositories(const struct json *body, struct text_list *ret, struct error *err);

/* DescribeImages: a row for each tag, and one for an image without tags. Only what can be pulled.
 */
struct ecr_rows {
    struct registry_row *items;
    size_t count, capacity;
    struct text_list tags; /* that the rows point at */
};
int ecr_read_rows(const struct json *body, struct ecr_rows *ret, struct error *err);
void ecr_rows_release(struct ecr_rows *rows);

/* DescribeImages for one image, UpdateImageStorageClass. */
enum ecr_status { ECR_STATUS_ACTIVE, ECR_STATUS_ARCHIVED, ECR_STATUS_ACTIVATING };
struct ecr_image {
    struct digest digest;
    struct text_list tags;
    enum ecr_status status;
};
/* FAILURE_ABSENT when there is none in the answer, FAILURE_INPUT when there are several. */
int ecr_read_image(const struct json *body, struct ecr_image *ret, struct error *err);
void ecr_image_release(struct ecr_image *image);
/* FAILURE_INPUT for a status that is not known. */
int ecr_read_status(const struct json *object, enum ecr_status *ret, struct error *err);

/* BatchDeleteImage of one image or tag: 0 when it was removed. What failed is said within an answer
 * of success: FAILURE_ABSENT (also: the tag is on another image), FAILURE_DENIED, FAILURE_LATER,
 * FAILURE_INPUT; FAILURE_UNCERTAIN when the answer names neither. */
int ecr_read_removal(const struct json *body, struct error *err);

/* DescribeImageScanFindings: adds a page to the report (see ecr_scan.c for its form).
 * FAILURE_ABSENT when the image was not scanned, FAILURE_LATER while it is, FAILURE_LIMIT. */
int ecr_read_findings(const struct json *body, struct json *report, struct error *err);

#endif
