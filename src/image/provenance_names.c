/* The spellings of the enumerations in the groups "provenance" and "referrers", both ways. The
 * tables are the published vocabulary: entries are only ever added. */
#include "regwarden/provenance.h"

#include "names.h"

static const char *const modes[] = {
    [PROVENANCE_MODE_UNKNOWN] = "unknown",
    [PROVENANCE_MODE_MIN] = "min",
    [PROVENANCE_MODE_MAX] = "max",
};

static const char *const subjects[] = {
    [SUBJECT_UNKNOWN] = "unknown",
    [SUBJECT_OTHER] = "other",
    [SUBJECT_INDEX] = "index",
    [SUBJECT_IMAGE] = "image",
};

static const char *const roles[] = {
    [MATERIAL_OTHER] = "other",     [MATERIAL_BASE] = "base",
    [MATERIAL_STAGE] = "stage",     [MATERIAL_FRONTEND] = "frontend",
    [MATERIAL_SCANNER] = "scanner", [MATERIAL_CONTEXT] = "context",
};

static const char *const hows[] = {
    [BASE_HOW_UNKNOWN] = "unknown",
    [BASE_HOW_MATERIALS] = "materials",
    [BASE_HOW_GRAPH] = "graph",
    [BASE_HOW_DOCKERFILE] = "dockerfile",
};

static const char *const kinds[] = {
    [REFERRER_OTHER] = "other",
    [REFERRER_SIGNATURE] = "signature",
    [REFERRER_PROVENANCE] = "provenance",
    [REFERRER_SBOM] = "sbom",
    [REFERRER_SUMMARY] = "summary",
    [REFERRER_SCAN] = "scan",
    [REFERRER_ATTESTATION] = "attestation",
};

static const char *const ways[] = {
    [REFERRER_BY_SUBJECT] = "subject",
    [REFERRER_BY_INDEX] = "index",
    [REFERRER_BY_TAG] = "tag",
};

const char *provenance_mode_name(enum provenance_mode mode)
{
    return modes[mode];
}

int provenance_mode_from_name(const char *name, enum provenance_mode *ret)
{
    NAMES_FIND(modes, enum provenance_mode, name, ret);
}

const char *provenance_subject_name(enum provenance_subject subject)
{
    return subjects[subject];
}

int provenance_subject_from_name(const char *name, enum provenance_subject *ret)
{
    NAMES_FIND(subjects, enum provenance_subject, name, ret);
}

const char *material_role_name(enum material_role role)
{
    return roles[role];
}

int material_role_from_name(const char *name, enum material_role *ret)
{
    NAMES_FIND(roles, enum material_role, name, ret);
}

const char *provenance_base_how_name(enum provenance_base_how how)
{
    return hows[how];
}

int provenance_base_how_from_name(const char *name, enum provenance_base_how *ret)
{
    NAMES_FIND(hows, enum provenance_base_how, name, ret);
}

const char *referrer_kind_name(enum referrer_kind kind)
{
    return kinds[kind];
}

int referrer_kind_from_name(const char *name, enum referrer_kind *ret)
{
    NAMES_FIND(kinds, enum referrer_kind, name, ret);
}

const char *referrer_way_name(enum referrer_way way)
{
    return ways[way];
}

int referrer_way_from_name(const char *name, enum referrer_way *ret)
{
    NAMES_FIND(ways, enum referrer_way, name, ret);
}
