/* The program: everything is in src/cli. */
#include "regwarden/cli.h"

int main(int argc, char **argv)
{
    return cli_run(argc, argv);
}
