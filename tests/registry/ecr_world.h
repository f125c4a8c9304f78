/* A registry client of the type ecr against a stub that plays AWS. */
#ifndef TEST_ECR_WORLD_H
#define TEST_ECR_WORLD_H

#include "client.h"

struct ecr_world {
    struct client client; /* first */
    char *credentials;
    char *endpoint;
};

/* False: something is missing, which was said. with_host: the stub's address is a name of the
 * registry that AWS hands out passwords for. */
bool ecr_world_open(struct ecr_world *world, const char *script, const char *scenario,
                    bool with_host);
void ecr_world_close(struct ecr_world *world);

/* Everything that pages brought; each row has a digest and a time. */
struct ecr_rows_seen {
    bool done;
    struct error error;
    struct text_list tags; /* "" for none */
    struct text_list repositories;
    char *cursor;
};
void ecr_world_take(void *rows, const struct registry_page *page); /* a registry_page_f */
void ecr_world_wait(struct ecr_world *world, struct ecr_rows_seen *rows);
void ecr_world_release_rows(struct ecr_rows_seen *rows);

#endif
