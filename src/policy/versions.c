/* Order of package versions. Reads each text once from left to right. */
#include "versions.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "regwarden/memory.h"
#include "regwarden/text.h"

enum { NUMBER_DIGITS_MAX = 18 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Digits at the cursor, of any length: leading zeros do not count. */
static int compare_digits(const char **a, const char **b)
{
    size_t left, right;
    int order;

    while (**a == '0')
        (*a)++;
    while (**b == '0')
        (*b)++;
    left = strspn(*a, "0123456789");
    right = strspn(*b, "0123456789");
    order = left != right ? (left < right ? -1 : 1) : memcmp(*a, *b, left);
    *a += left;
    *b += right;
    return order;
}

/* --- dpkg: deb-version(7) --- */

static int dpkg_weight(char c)
{
    if (c == '~')
        return -1;
    if (c == '\0' || is_digit(c))
        return 0;
    return is_letter(c) ? c : c + 256;
}

/* [a, a_end) against [b, b_end) */
static int dpkg_compare_part(const char *a, const char *a_end, const char *b, const char *b_end)
{
    while (a < a_end || b < b_end) {
        while ((a < a_end && !is_digit(*a)) || (b < b_end && !is_digit(*b))) {
            int left = a < a_end ? dpkg_weight(*a) : 0;
            int right = b < b_end ? dpkg_weight(*b) : 0;

            if (left != right)
                return left - right;
            a += a < a_end;
            b += b < b_end;
        }
        while (a < a_end && *a == '0')
            a++;
        while (b < b_end && *b == '0')
            b++;
        const char *x = a, *y = b;
        while (a < a_end && is_digit(*a))
            a++;
        while (b < b_end && is_digit(*b))
            b++;
        if (a - x != b - y)
            return a - x < b - y ? -1 : 1;
        int order = memcmp(x, y, (size_t)(a - x));
        if (order)
            return order;
    }
    return 0;
}

static const char *dpkg_skip_epoch(const char *version)
{
    size_t digits = strspn(version, "0123456789");

    return version[digits] == ':' ? version + digits + 1 : version;
}

static bool dpkg_compare(const char *a, const char *b, int *ret)
{
    const char *left = dpkg_skip_epoch(a), *right = dpkg_skip_epoch(b);
    const char *left_dash = strrchr(left, '-'), *right_dash = strrchr(right, '-');
    const char *left_end = left + strlen(left), *right_end = right + strlen(right);
    const char *x = left == a ? "0" : a, *y = right == b ? "0" : b;

    if (!is_digit(*left) || !is_digit(*right))
        return false;
    *ret = compare_digits(&x, &y);
    if (*ret == 0)
        *ret = dpkg_compare_part(left, left_dash ? left_dash : left_end, right,
                                 right_dash ? right_dash : right_end);
    if (*ret == 0)
        *ret = dpkg_compare_part(left_dash ? left_dash + 1 : left_end, left_end,
                                 right_dash ? right_dash + 1 : right_end, right_end);
    return true;
}

/* --- apk: digits{.digits}[letter]{_suffix[digits]}[-r digits] --- */

/* Suffixes before the release, in their order, then the release itself, then those behind it. */
static int apk_suffix(const char **at)
{
    static const char *const suffixes[] = {"_alpha", "_beta", "_pre", "_rc", "",
                                           "_cvs",   "_svn",  "_git", "_hg", "_p"};

    for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
        size_t size = strlen(suffixes[i]);

        if (size > 0 && strncmp(*at, suffixes[i], size) == 0 && !is_letter((*at)[size])) {
            *at += size;
            return (int)i;
        }
    }
    return 4;
}

static bool apk_compare_numbers(const char **a, const char **b, int *ret)
{
    for (bool first = true;; first = false) {
        if (!is_digit(**a) || !is_digit(**b))
            return false;
        /* Behind the first number, leading zeros make a fraction: 1.01 is less than 1.1. */
        if (!first && (**a == '0' || **b == '0')) {
            size_t left = strspn(*a, "0123456789"), right = strspn(*b, "0123456789");
            size_t both = left < right ? left : right;

            *ret = memcmp(*a, *b, both);
            if (*ret == 0 && left != right)
                *ret = left < right ? -1 : 1;
            *a += left;
            *b += right;
        } else {
            *ret = compare_digits(a, b);
        }
        if (*ret != 0 || (**a != '.' && **b != '.'))
            return true;
        if (**a != '.' || **b != '.') {
            *ret = **a == '.' ? 1 : -1;
            return true;
        }
        (*a)++;
        (*b)++;
    }
}

static bool apk_compare(const char *a, const char *b, int *ret)
{
    if (!apk_compare_numbers(&a, &b, ret))
        return false;
    if (*ret != 0)
        return true;
    if (is_letter(*a) || is_letter(*b)) {
        int left = is_letter(*a) ? *a++ : 0, right = is_letter(*b) ? *b++ : 0;

        *ret = left - right;
    }
    while (*ret == 0 && (*a == '_' || *b == '_')) {
        int left = apk_suffix(&a), right = apk_suffix(&b);

        if (left == 4 && right == 4)
            return false;
        *ret = left - right;
        if (*ret == 0)
            *ret = compare_digits(&a, &b);
    }
    if (*ret != 0)
        return true;
    const char *x = strncmp(a, "-r", 2) == 0 ? a + 2 : "",
               *y = strncmp(b, "-r", 2) == 0 ? b + 2 : "";
    if ((*a && a + 2 != x) || (*b && b + 2 != y))
        return false;
    *ret = compare_digits(&x, &y);
    return *x == '\0' && *y == '\0';
}

/* --- npm, Go, composer, NuGet: semantic versions, with or without a v in front; NuGet has a fourth
 * number --- */

enum { SEMVER_NUMBERS = 4 };

static bool semver_number(const char **at, uint64_t *ret)
{
    size_t digits = strspn(*at, "0123456789");

    *ret = 0;
    if (digits == 0 || digits > NUMBER_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < digits; i++)
        *ret = *ret * 10 + (uint64_t)((*at)[i] - '0');
    *at += digits;
    return true;
}

/* Reads "1", "1.2", "1.2.3" or "1.2.3.4"; what is left out is 0. */
static bool semver_release(const char **at, uint64_t ret[static SEMVER_NUMBERS])
{
    *at += **at == 'v';
    ret[1] = ret[2] = ret[3] = 0;
    if (!semver_number(at, &ret[0]))
        return false;
    for (int i = 1; i < SEMVER_NUMBERS && **at == '.'; i++) {
        (*at)++;
        if (!semver_number(at, &ret[i]))
            return false;
    }
    return **at == '\0' || **at == '-' || **at == '+';
}

static int semver_compare_identifier(const char *a, size_t left, const char *b, size_t right)
{
    bool a_is_number = strspn(a, "0123456789") >= left,
         b_is_number = strspn(b, "0123456789") >= right;
    size_t both = left < right ? left : right;
    int order;

    if (a_is_number != b_is_number)
        return a_is_number ? -1 : 1;
    if (a_is_number) {
        const char *x = a, *y = b;
        return compare_digits(&x, &y);
    }
    order = memcmp(a, b, both);
    return order || left == right ? order : (left < right ? -1 : 1);
}

/* A pre-release is less than its release. */
static int semver_compare_pre(const char *a, const char *b)
{
    if (*a != '-' || *b != '-')
        return *a == *b || (*a != '-' && *b != '-') ? 0 : (*a == '-' ? -1 : 1);
    for (;;) {
        size_t left = strcspn(++a, ".+"), right = strcspn(++b, ".+");
        int order = semver_compare_identifier(a, left, b, right);

        if (order)
            return order;
        a += left;
        b += right;
        if (*a != '.' || *b != '.')
            return *a == '.' ? 1 : (*b == '.' ? -1 : 0);
    }
}

static bool semver_compare(const char *a, const char *b, int *ret)
{
    uint64_t left[SEMVER_NUMBERS], right[SEMVER_NUMBERS];

    if (!semver_release(&a, left) || !semver_release(&b, right))
        return false;
    *ret = 0;
    for (int i = 0; i < SEMVER_NUMBERS && *ret == 0; i++)
        *ret = left[i] == right[i] ? 0 : (left[i] < right[i] ? -1 : 1);
    if (*ret == 0)
        *ret = semver_compare_pre(a, b);
    return true;
}

/* --- pip: PEP 440 without local versions, which do not count --- */

enum pep_stage { PEP_DEV, PEP_ALPHA, PEP_BETA, PEP_CANDIDATE, PEP_FINAL, PEP_POST };
struct pep_tail {
    enum pep_stage stage;
    uint64_t number;
    uint64_t post;
    bool has_post;
    uint64_t dev;
    bool has_dev;
};

static bool pep_word(const char **at, const char *word)
{
    const char *from = *at + (**at == '.' || **at == '-' || **at == '_');
    size_t size = strlen(word);

    for (size_t i = 0; i < size; i++) {
        if (tolower((unsigned char)from[i]) != word[i])
            return false;
    }
    if (is_letter(from[size]))
        return false;
    *at = from + size;
    *at += (**at == '.' || **at == '-' || **at == '_') && is_digit((*at)[1]);
    return true;
}

static bool pep_any(const char **at, const char *const *words, uint64_t *ret)
{
    *ret = 0;
    for (; *words; words++) {
        if (!pep_word(at, *words))
            continue;
        if (is_digit(**at))
            semver_number(at, ret);
        return true;
    }
    return false;
}

static bool pep_tail(const char *at, struct pep_tail *ret)
{
    static const char *const alpha[] = {"alpha", "a", NULL};
    static const char *const beta[] = {"beta", "b", NULL};
    static const char *const candidate[] = {"preview", "pre", "rc", "c", NULL};
    static const char *const post[] = {"post", "rev", "r", NULL};
    static const char *const dev[] = {"dev", NULL};

    *ret = (struct pep_tail){.stage = PEP_FINAL};
    if (pep_any(&at, alpha, &ret->number))
        ret->stage = PEP_ALPHA;
    else if (pep_any(&at, beta, &ret->number))
        ret->stage = PEP_BETA;
    else if (pep_any(&at, candidate, &ret->number))
        ret->stage = PEP_CANDIDATE;
    ret->has_post = pep_any(&at, post, &ret->post);
    ret->has_dev = pep_any(&at, dev, &ret->dev);
    if (ret->stage == PEP_FINAL && ret->has_post)
        ret->stage = PEP_POST;
    if (ret->stage == PEP_FINAL && ret->has_dev)
        ret->stage = PEP_DEV;
    return *at == '\0' || *at == '+';
}

static int compare_uint(uint64_t a, uint64_t b)
{
    return a == b ? 0 : (a < b ? -1 : 1);
}

static int pep_compare_tails(const struct pep_tail *a, const struct pep_tail *b)
{
    int order = compare_uint(a->stage, b->stage);

    if (!order)
        order = compare_uint(a->number, b->number);
    if (!order)
        order = compare_uint(a->has_post, b->has_post);
    if (!order)
        order = compare_uint(a->post, b->post);
    if (!order)
        order = compare_uint(!a->has_dev, !b->has_dev);
    return order ? order : compare_uint(a->dev, b->dev);
}

/* "1.2.3" against "1.2": what is left out is 0. */
static bool pep_compare_release(const char **a, const char **b, int *ret)
{
    *ret = 0;
    if (!is_digit(**a) || !is_digit(**b))
        return false;
    for (;;) {
        int order = compare_digits(a, b);

        if (*ret == 0)
            *ret = order;
        bool left = **a == '.' && is_digit((*a)[1]), right = **b == '.' && is_digit((*b)[1]);
        if (!left && !right)
            return true;
        *a += left;
        *b += right;
    }
}

static const char *pep_epoch(const char *version, const char **ret_epoch)
{
    size_t digits = strspn(version, "0123456789");

    *ret_epoch = version[digits] == '!' ? version : "0";
    return version[digits] == '!' ? version + digits + 1 : version;
}

static bool pep_compare(const char *a, const char *b, int *ret)
{
    struct pep_tail left, right;
    const char *x, *y;
    int epoch;

    a = pep_epoch(a + (*a == 'v'), &x);
    b = pep_epoch(b + (*b == 'v'), &y);
    epoch = compare_digits(&x, &y);
    if (!pep_compare_release(&a, &b, ret) || !pep_tail(a, &left) || !pep_tail(b, &right))
        return false;
    if (*ret == 0)
        *ret = pep_compare_tails(&left, &right);
    *ret = epoch ? epoch : *ret;
    return true;
}

/* --- rpm: rpmvercmp on the version, then on the release where both have one --- */

static bool is_rpm_part(char c)
{
    return is_digit(c) || is_letter(c) || c == '~' || c == '^';
}

/* What a tilde or caret says at this place: 0 when it says nothing, else as for comparing. */
static int rpm_mark(char a, char b, bool *ret_both)
{
    *ret_both = (a == '~' && b == '~') || (a == '^' && b == '^');
    if (*ret_both || (a != '~' && b != '~' && a != '^' && b != '^'))
        return 0;
    if (a == '~' || b == '~')
        return a == '~' ? -1 : 1;
    if (a == '^')
        return b == '\0' ? 1 : -1;
    return a == '\0' ? -1 : 1;
}

static int rpm_compare_segment(const char **a, const char **b)
{
    size_t left = 0, right = 0, both;
    int order;

    if (is_digit(**a) != is_digit(**b))
        return is_digit(**a) ? 1 : -1;
    if (is_digit(**a))
        return compare_digits(a, b);
    while (is_letter((*a)[left]))
        left++;
    while (is_letter((*b)[right]))
        right++;
    both = left < right ? left : right;
    order = memcmp(*a, *b, both);
    *a += left;
    *b += right;
    return order || left == right ? order : (left < right ? -1 : 1);
}

static int rpm_compare_part(const char *a, const char *b)
{
    for (;;) {
        bool both;
        int order;

        while (*a && !is_rpm_part(*a))
            a++;
        while (*b && !is_rpm_part(*b))
            b++;
        order = rpm_mark(*a, *b, &both);
        if (order != 0)
            return order;
        if (!*a || !*b)
            return *a ? 1 : (*b ? -1 : 0);
        if (both) {
            a++;
            b++;
            continue;
        }
        order = rpm_compare_segment(&a, &b);
        if (order != 0)
            return order;
    }
}

static bool rpm_compare(const char *a, const char *b, int *ret)
{
    const char *left_dash = strrchr(a, '-'), *right_dash = strrchr(b, '-');
    AUTO_FREE char *left = memory_copy_bytes(a, left_dash ? (size_t)(left_dash - a) : strlen(a));
    AUTO_FREE char *right = memory_copy_bytes(b, right_dash ? (size_t)(right_dash - b) : strlen(b));

    if (!is_rpm_part(*left) || !is_rpm_part(*right))
        return false;
    *ret = rpm_compare_part(left, right);
    if (*ret == 0 && left_dash && right_dash)
        *ret = rpm_compare_part(left_dash + 1, right_dash + 1);
    return true;
}

typedef bool compare_f(const char *a, const char *b, int *ret);
static compare_f *const orders[PACKAGE_MANAGER_COUNT] = {
    [PACKAGE_DPKG] = dpkg_compare,    [PACKAGE_APK] = apk_compare,
    [PACKAGE_NPM] = semver_compare,   [PACKAGE_PIP] = pep_compare,
    [PACKAGE_RPM] = rpm_compare,      [PACKAGE_COMPOSER] = semver_compare,
    [PACKAGE_NUGET] = semver_compare, [PACKAGE_GO] = semver_compare,
};

bool version_has_order(enum package_manager manager)
{
    return orders[manager] != NULL;
}

bool version_compare(enum package_manager manager, const char *a, const char *b, int *ret)
{
    return orders[manager] && orders[manager](a, b, ret);
}
