/* Made-up images of a real one's size, for the programs of `./dev bench`. */
#ifndef BENCH_IMAGE_H
#define BENCH_IMAGE_H

#include "regwarden/facts.h"

struct bench_image {
    char *manifest;
    char *config;
    struct digest manifest_digest;
    struct digest config_digest;
};

void bench_image_init(struct bench_image *image, long number); /* another one for each number */
void bench_image_release(struct bench_image *image);
struct facts *bench_image_facts(const struct bench_image *image); /* returns new */

#endif
