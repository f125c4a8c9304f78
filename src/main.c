/* The program: everything is in src/cli; a scan worker never gets there. */
#include <string.h>

#include "regwarden/cli.h"
#include "regwarden/scan_pool.h"

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], SCAN_WORKER_COMMAND) == 0)
        return scan_worker_main();
    return cli_run(argc, argv);
}
