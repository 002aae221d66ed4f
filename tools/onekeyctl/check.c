/* onekeyctl check: is the configuration sound, and what is in effect? */
#include "daemon/base/config.h"
#include "daemon/base/config_print.h"
#include "tools/onekeyctl/command.h"

#include <stdio.h>
#include <string.h>

static void print_error(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

int check_command(const struct invocation *invocation, int argc, char **argv)
{
    bool print = argc == 2 && strcmp(argv[1], "--print") == 0;
    if (argc > 1 && !print) {
        fprintf(stderr, "usage: onekeyctl [--config FILE] check [--print]\n");
        return EXIT_USAGE;
    }
    struct config config;
    int errors = config_load(&config, invocation->config, NULL, print_error);
    if (errors > 0) {
        fprintf(stderr, "%d error%s\n", errors, errors == 1 ? "" : "s");
        return EXIT_FAILED;
    }
    if (print)
        config_print(&config, stdout);
    else
        printf("%s is sound\n", invocation->config);
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}
