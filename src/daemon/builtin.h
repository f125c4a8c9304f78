/* Files that are built into the program. src/daemon/builtin.c is written by cmake/embed.cmake from
 * the files themselves. */
#ifndef REGWARDEN_BUILTIN_H
#define REGWARDEN_BUILTIN_H

extern const char builtin_baseline_policy[]; /* policies/baseline.yaml */

#endif
