/* Images for the tests of the image room, written as short JSON. In these texts a backtick stands
 * for the double quote. */
#ifndef TEST_IMAGE_FIXTURE_H
#define TEST_IMAGE_FIXTURE_H

#include "regwarden/facts.h"

/* "`a`" becomes "\"a\"". Returns new. */
char *fixture_json(const char *text);

/* Parses; fails the test when that fails. Returns new. */
struct image_config *fixture_config(const char *text);
struct manifest *fixture_manifest(const char *text);

/* An image manifest with `layers` layers and these annotations ("{}" for none). Returns new. */
struct manifest *fixture_image(size_t layers, const char *annotations);

/* Facts of a config on a manifest with `layers` layers. Returns new. */
struct facts *fixture_facts(const char *config, size_t layers, const char *annotations);

/* The facts document as text. Returns new. */
char *fixture_document(const struct facts *facts);

#endif
