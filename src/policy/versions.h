/* Order of package versions, as each package manager has it. */
#ifndef REGWARDEN_POLICY_VERSIONS_H
#define REGWARDEN_POLICY_VERSIONS_H

#include <stdbool.h>

#include "regwarden/layer_facts.h"

/* Does the manager's order exist here? dpkg (deb-version(7)), apk, rpm (rpmvercmp), npm, Go,
 * composer and NuGet (semantic versions) and pip (PEP 440) have one; of others only equality can be
 * told. */
bool version_has_order(enum package_manager manager);

/* Negative, 0 or positive in *ret. False when one of the two is no version of this manager. */
bool version_compare(enum package_manager manager, const char *a, const char *b, int *ret);

#endif
