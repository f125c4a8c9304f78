/* The bounds of the AWS client. Not settings: tests make them small, nothing else changes them.
 * Plain data. */
#ifndef AWS_TUNING_H
#define AWS_TUNING_H

#include <stdint.h>

struct aws_tuning {
    unsigned attempts;        /* of a call that may be repeated, the first one included */
    int64_t backoff_first_ms; /* upper end of the first wait; doubles with every attempt */
    int64_t backoff_max_ms;
    int64_t skew_min_ms;         /* a clock that is nearer to AWS's is right enough */
    int64_t renew_before_ms;     /* before credentials expire, others are fetched beside */
    int64_t expired_before_ms;   /* they are not used any more */
    int64_t file_reread_ms;      /* credentials of a file, which may be written anew */
    int64_t fetch_pause_ms;      /* between failed attempts to get credentials */
    unsigned fetch_attempts;     /* until those who wait are told */
    int64_t metadata_timeout_ms; /* of one request for credentials */
};
extern const struct aws_tuning aws_tuning_default;

#endif
