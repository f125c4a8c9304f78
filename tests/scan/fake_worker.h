/* What the worker of the tests does instead of scanning: it is told by the bound on memory. */
#ifndef TEST_SCAN_FAKE_WORKER_H
#define TEST_SCAN_FAKE_WORKER_H

enum fake {
    /* --- of the start --- */
    FAKE_ENDS_AT_ONCE = 1,
    FAKE_NEVER_READY,
    FAKE_ENDS_WHEN_READY,
    FAKE_HANGS_UP, /* and lives on */
    /* --- of the answer --- */
    FAKE_GARBAGE,
    FAKE_TOO_LARGE_A_HEAD,
    FAKE_ENDLESS_PATHS,
    FAKE_ANSWERS_EARLY,
    FAKE_NO_PATHS,
    FAKE_PATHS_OUT_OF_ORDER,
    FAKE_TWO_TABLES,
    FAKE_NO_DOCUMENT,
    FAKE_OTHER_DIGEST,
    FAKE_OTHER_SIZE,
    FAKE_SECOND_READY,
    FAKE_ODD_ERROR, /* a kind that no scan has, and control characters */
    FAKE_SLOW,      /* takes its bytes a few at a time */
    FAKE_TRICKLES,  /* an answer that never ends, byte by byte */
    /* --- in the sandbox --- */
    FAKE_STAYS,
    FAKE_OPENS,
    FAKE_CONNECTS,
    FAKE_EXECUTES,
    FAKE_FORKS,
    FAKE_KILLS,
    FAKE_TRACES,
    FAKE_MAPS_CODE,
    FAKE_RAISES_LIMITS,
    FAKE_READS_OTHER_DESCRIPTORS,
    FAKE_COUNT
};

#endif
