/* onekeyctl: what an administrator does. This file only finds the command; each has its own. */
#include "daemon/base/attributes.h"
#include "tools/onekeyctl/command.h"

#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *arguments, *help;
    int (*run)(const struct invocation *invocation, int argc, char **argv);
} commands[] = {
    {"check", "[--print]", "check the configuration, and print what is in effect", check_command},
    {"show", "WHAT [NAME]", "ask the daemon; `show` alone lists what it can show", control_command},
    {"db", "migrate|status", "bring the database's schema up to date, or say whether it is",
     migrate_command},
    {"import", "KIND FILE.csv", "areas, households, contacts, absences or devices, all or nothing",
     import_command},
    {"silence", "show|set HOUSEHOLD", "what is known of its water; how it is judged",
     silence_command},
    {"tickets", "[--open] [--follow]", "the last 100 tickets or the open ones; then as they change",
     tickets_command},
    {"ticket", "COMMAND ID ...", "claim, answer, dispatch, verify, close ...: `ticket --help`",
     ticket_command},
    {"limits", "list|set|remove ...", "time limits of tickets: `limits --help`", limits_command},
    {"escalation", "list|set|policy ...", "what happens to tickets that nobody moves",
     limits_command},
    {"disaster", "list|start|end ...", "device tickets wait while much is broken at once",
     limits_command},
    {"contact", "result|reply ...", "what a contact of the ladder answers", limits_command},
    {"device", "COMMAND ...", "list, show, locate, interval, sos, acknowledge: `device --help`",
     device_command},
    {"notices", "[--failed]", "the last 100 notices, or those that did not arrive",
     notices_command},
    {"notice", "retry ID", "send a notice again that was given up or waits", notice_command},
    {"user", "list|add|password ...", "people of the console: `user --help`", user_command},
    {"reload", "", "let the daemon read its configuration again", control_command},
    {"drain", "", "take no new connections, deliver what is held, then end", control_command},
};

static void print_help(FILE *out)
{
    fprintf(out, "usage: onekeyctl [--config FILE] [--socket PATH] [--conninfo CONNINFO] [--json] "
                 "COMMAND ...\n"
                 "       onekeyctl --help | --version\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        fprintf(out, "  %-10s %-19s %s\n", commands[i].name, commands[i].arguments,
                commands[i].help);
}

static int run(const struct invocation *invocation, int argc, char **argv)
{
    for (size_t i = 0; argc > 0 && i < ARRAY_SIZE(commands); i++)
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(invocation, argc, argv);
    if (argc > 0)
        fprintf(stderr, "onekeyctl: there is no command %s\n", argv[0]);
    print_help(stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    enum { CONFIG = 'c', SOCKET = 's', CONNINFO = 'd', JSON = 'j', HELP = 'h', VERSION = 'V' };
    static const struct option options[] = {
        {"config", required_argument, NULL, CONFIG},
        {"socket", required_argument, NULL, SOCKET},
        {"conninfo", required_argument, NULL, CONNINFO},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    struct invocation invocation = {.config = DEFAULT_CONFIG};
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN);
    for (int option; (option = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
        if (option == CONFIG)
            invocation.config = optarg;
        else if (option == SOCKET)
            invocation.socket = optarg;
        else if (option == CONNINFO)
            invocation.conninfo = optarg;
        else if (option == JSON)
            invocation.json = true;
        else if (option == HELP)
            return print_help(stdout), EXIT_OK;
        else if (option == VERSION)
            return puts("onekeyctl " ONEKEY_VERSION), EXIT_OK;
        else
            return print_help(stderr), EXIT_USAGE;
    }
    return run(&invocation, argc - optind, argv + optind);
}
