/* Scans the layer on standard input and prints its facts, or with an argument how fast it went.
 * "-d" leaves the digest of the unpacked bytes out. */
#include <stdio.h>
#include <sys/resource.h>

#include "regwarden/clock.h"
#include "regwarden/scan.h"

static double cpu_seconds(const struct rusage *usage)
{
    return (double)usage->ru_utime.tv_sec + (double)usage->ru_utime.tv_usec / 1e6;
}

static void print_speed(const struct layer_facts *facts)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    printf("%.0f MB/s unpacked per CPU second, %.2f s, %ld KiB, %zu hits, %zu packages, %zu bytes "
           "of paths\n",
           (double)facts->uncompressed_bytes / 1e6 / cpu_seconds(&usage), cpu_seconds(&usage),
           usage.ru_maxrss, facts->hit_count, facts->package_count, facts->paths.length);
}

int main(int argc, char **argv)
{
    static char bytes[256 * 1024];
    struct scan_options options = {.limits = scan_limits_default,
                                   .diff_id = argc < 2 || !text_equal(argv[1], "-d")};
    AUTO_SCAN struct scan *scan = scan_new(&options);
    AUTO_LAYER_FACTS struct layer_facts *facts = NULL;
    AUTO_TEXT struct text text = {0};
    struct error err = {0};
    int failure = 0;

    for (size_t size; failure == 0 && (size = fread(bytes, 1, sizeof(bytes), stdin)) > 0;)
        failure = scan_push(scan, bytes, size, &err);
    if (failure == 0)
        failure = scan_finish(scan, &facts, &err);
    if (failure < 0) {
        fprintf(stderr, "%s: %s\n", failure_name(failure), err.text);
        return 1;
    }
    if (argc > 1) {
        print_speed(facts);
        return 0;
    }
    AUTO_JSON struct json *json = layer_facts_to_json(facts);
    json_write(json, JSON_INDENTED, &text);
    puts(text_data(&text));
    return 0;
}
