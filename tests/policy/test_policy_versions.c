/* The order of versions, manager by manager. */
#include "cmocka_all.h"

#include "versions.h"

#include "regwarden/memory.h"

struct row {
    enum package_manager manager;
    const char *less;
    const char *greater;
};

/* dpkg: deb-version(7) and dpkg's own tests; npm: semver.org; pip: PEP 440; apk: apk-tools' tests
 */
static const struct row ordered[] = {
    {PACKAGE_DPKG, "1.0", "1.1"},
    {PACKAGE_DPKG, "1.9", "1.10"},
    {PACKAGE_DPKG, "1.0~rc1", "1.0"},
    {PACKAGE_DPKG, "1.0~rc1", "1.0~rc2"},
    {PACKAGE_DPKG, "1.0", "1.0-1"},
    {PACKAGE_DPKG, "3.0.15-1~deb12u1", "3.0.15-1"},
    {PACKAGE_DPKG, "2.0", "1:1.0"},
    {PACKAGE_DPKG, "1.0", "1.0+b1"},
    {PACKAGE_DPKG, "1.0a", "1.0b"},
    {PACKAGE_DPKG, "1.0a", "1.0+"},
    {PACKAGE_DPKG, "0.0.9", "0.0.10"},
    {PACKAGE_APK, "1.36.1-r2", "1.36.1-r15"},
    {PACKAGE_APK, "1.2", "1.2.1"},
    {PACKAGE_APK, "3.1.4_pre1", "3.1.4"},
    {PACKAGE_APK, "3.1.4_alpha2", "3.1.4_beta1"},
    {PACKAGE_APK, "3.1.4", "3.1.4_p1"},
    {PACKAGE_APK, "1.1.1n", "1.1.1w"},
    {PACKAGE_APK, "1.1.1", "1.1.1a-r0"},
    {PACKAGE_APK, "1.01", "1.1"},
    {PACKAGE_NPM, "4.17.15", "4.17.21"},
    {PACKAGE_NPM, "1.0.0-alpha", "1.0.0-alpha.1"},
    {PACKAGE_NPM, "1.0.0-alpha.1", "1.0.0-alpha.beta"},
    {PACKAGE_NPM, "1.0.0-beta.2", "1.0.0-beta.11"},
    {PACKAGE_NPM, "1.0.0-rc.1", "1.0.0"},
    {PACKAGE_NPM, "9.0.0", "10.0.0"},
    {PACKAGE_GO, "v0.16.0", "0.17"},
    {PACKAGE_GO, "v0.0.0-20210101000000-abcdefabcdef", "v0.0.0"},
    {PACKAGE_RPM, "3.0.7-5.el9", "3.0.7-16.el9"},
    {PACKAGE_RPM, "1.0~rc1-1", "1.0-1"},
    {PACKAGE_RPM, "1.0-1", "1.0^git1-1"},
    {PACKAGE_RPM, "1.0^git1-1", "1.0.1-1"},
    {PACKAGE_RPM, "1.0a-1", "1.0.1-1"},
    {PACKAGE_RPM, "1.0a-1", "1.0b-1"},
    {PACKAGE_RPM, "9.0-1", "10.0-1"},
    {PACKAGE_NUGET, "6.0.0.1", "6.0.0.2"},
    {PACKAGE_COMPOSER, "v6.4.0-RC1", "v6.4.0"},
    {PACKAGE_PIP, "1.0.dev1", "1.0a1"},
    {PACKAGE_PIP, "1.0a1", "1.0a2"},
    {PACKAGE_PIP, "1.0a1", "1.0b1"},
    {PACKAGE_PIP, "1.0b2.dev1", "1.0b2"},
    {PACKAGE_PIP, "1.0rc1", "1.0"},
    {PACKAGE_PIP, "1.0", "1.0.post1"},
    {PACKAGE_PIP, "1.0.post1", "1.1.dev1"},
    {PACKAGE_PIP, "2.31.0", "2.32"},
    {PACKAGE_PIP, "2024.2.2", "1!0.1"},
};

static const struct row equal[] = {
    {PACKAGE_DPKG, "1.0", "0:1.0"},      {PACKAGE_DPKG, "1.00", "1.0"},
    {PACKAGE_APK, "1.2.3-r0", "1.2.3"},  {PACKAGE_NPM, "1.0.0+build1", "1.0.0+build2"},
    {PACKAGE_NPM, "v1.2.3", "1.2.3"},    {PACKAGE_PIP, "1.0", "1.0.0"},
    {PACKAGE_PIP, "1.0+ubuntu1", "1.0"}, {PACKAGE_PIP, "1.0RC1", "1.0c1"},
    {PACKAGE_GO, "v1.2.0", "1.2"},       {PACKAGE_RPM, "3.0.7-5.el9", "3.0.7"},
    {PACKAGE_RPM, "1.0-1", "1_0-1"},
};

static const struct row no_versions[] = {
    {PACKAGE_DPKG, "abc", "1.0"},          {PACKAGE_APK, "1.2", "latest"},
    {PACKAGE_NPM, "workspace:*", "1.0.0"}, {PACKAGE_GO, "(devel)", "v1.0"},
    {PACKAGE_PIP, "1.0", "main"},          {PACKAGE_NPM, "", "1.0.0"},
    {PACKAGE_PIP, "1.0-garbage", "1.0"},   {PACKAGE_GEM, "1.0", "2.0"},
    {PACKAGE_COMPOSER, "dev-main", "1.0"}, {PACKAGE_APK, "1.2_foo", "1.2"},
};

static void test_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(ordered); i++) {
        int there = 0, back = 0;

        if (!version_compare(ordered[i].manager, ordered[i].less, ordered[i].greater, &there) ||
            !version_compare(ordered[i].manager, ordered[i].greater, ordered[i].less, &back) ||
            there >= 0 || back <= 0)
            fail_msg("%s < %s: %d, %d", ordered[i].less, ordered[i].greater, there, back);
    }
}

static void test_equal(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(equal); i++) {
        int order = 1;

        if (!version_compare(equal[i].manager, equal[i].less, equal[i].greater, &order) ||
            order != 0)
            fail_msg("%s = %s: %d", equal[i].less, equal[i].greater, order);
    }
}

static void test_what_is_no_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(no_versions); i++) {
        int order;

        if (version_compare(no_versions[i].manager, no_versions[i].less, no_versions[i].greater,
                            &order))
            fail_msg("%s and %s", no_versions[i].less, no_versions[i].greater);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_equal),
                                       cmocka_unit_test(test_what_is_no_version)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
