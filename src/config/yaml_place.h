/* Messages at a place in a YAML document. Private to the config room. */
#ifndef REGWARDEN_CONFIG_YAML_PLACE_H
#define REGWARDEN_CONFIG_YAML_PLACE_H

#include "regwarden/yaml.h"

struct yaml_place {
    unsigned line, column; /* from 1; line 0: no place */
};

/* As yaml_error, where there is no node: at a key, or while the document is still being read.
 * `kind` is returned. A document or name that is NULL leaves the place out. */
int yaml_fault(const char *name, struct yaml_place place, enum failure kind, struct error *err,
               const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
