/* onekey-report: response-time figures for supervisors. This file reads the options. */
#include "tools/report/report.h"

#include <getopt.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum format { TABLE, CSV, JSON, XLSX };
static const char *const format_names[] = {"table", "csv", "json", "xlsx"};

struct command {
    struct request request;
    enum format format;
    const char *month, *from, *to, *output;
    bool definitions;
};

static void print_help(FILE *out)
{
    fprintf(
        out,
        "usage: onekey-report [--month YYYY-MM | --from YYYY-MM-DD --to YYYY-MM-DD] [OPTION ...]\n"
        "\n"
        "  --month YYYY-MM      this month; without it and --from: the month before this one\n"
        "  --from DAY --to DAY  these days, both of them included\n"
        "  --district CODE      where the database has several\n"
        "  --area CODE          a street-town or neighbourhood with all that belongs to it\n"
        "  --measure NAME       only this measure; may be given again. `list`: every ticket\n"
        "  --format FORMAT      table, csv, json or xlsx\n"
        "  --output FILE        into this file; for xlsx it must be given\n"
        "  --compare previous   the window before of the same length beside it\n"
        "  --definitions        what each measure is and what it is held against\n"
        "  --language zh|en     of titles and words; else as the locale says\n"
        "  --progress           tell how far it is even if this is no terminal\n"
        "  --config FILE, --conninfo CONNINFO, --help, --version\n"
        "\n"
        "Exit status: 0 done, 1 failed, 2 wrong use.\n");
}

static bool complain(const char *option, const char *value, const char *remedy)
{
    fprintf(stderr, "onekey-report: %s %s: %s\n", option, value, remedy);
    return false;
}

/* Reads a day that there is; text must be all of it. */
static bool parse_day(const char *text, struct tm *day)
{
    struct tm same;
    const char *end;

    memset(day, 0, sizeof(*day));
    end = strptime(text, "%Y-%m-%d", day);
    if (end == NULL || *end != '\0' || strlen(text) != 10)
        return false;
    same = *day;
    return timegm(&same) != -1 && same.tm_mday == day->tm_mday;
}

static void print_day(struct tm day, int months, int days, char out[11])
{
    day.tm_mon += months;
    day.tm_mday += days;
    timegm(&day);
    strftime(out, 11, "%Y-%m-%d", &day);
}

static bool use_month(struct request *request, const char *month)
{
    char first[11];
    struct tm day;

    snprintf(first, sizeof(first), "%.7s-01", month);
    if (strlen(month) != 7 || !parse_day(first, &day))
        return complain("--month", month, "must be a month like 2026-10");
    print_day(day, 0, 0, request->from);
    print_day(day, 1, 0, request->until);
    print_day(day, -1, 0, request->previous_from);
    return true;
}

static bool use_days(struct request *request, const char *from, const char *to)
{
    struct tm first, last;

    if (!parse_day(from, &first))
        return complain("--from", from, "must be a day like 2026-10-01");
    if (!parse_day(to, &last))
        return complain("--to", to, "must be a day like 2026-10-31");
    int days = (int)((timegm(&last) - timegm(&first)) / 86400) + 1;
    if (days < 1)
        return complain("--to", to, "lies before --from");
    print_day(first, 0, 0, request->from);
    print_day(last, 0, 1, request->until);
    print_day(first, 0, -days, request->previous_from);
    return true;
}

static bool use_window(struct command *command)
{
    char month[8];
    time_t now = time(NULL);
    struct tm local;

    if (command->month != NULL && command->from == NULL && command->to == NULL)
        return use_month(&command->request, command->month);
    if (command->month == NULL && command->from != NULL && command->to != NULL)
        return use_days(&command->request, command->from, command->to);
    if (command->month != NULL || command->from != NULL || command->to != NULL)
        return complain("--month, --from, --to", "",
                        "give a month, or both a first and a last day");
    localtime_r(&now, &local);
    local.tm_mday = 1;
    local.tm_mon--;
    timegm(&local);
    strftime(month, sizeof(month), "%Y-%m", &local);
    return use_month(&command->request, month);
}

static bool use_format(struct command *command, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(format_names); i++) {
        command->format = (enum format)i;
        if (strcmp(name, format_names[i]) == 0)
            return true;
    }
    return complain("--format", name, "must be table, csv, json or xlsx");
}

static bool use_language(struct request *request, const char *name)
{
    request->is_chinese = strcmp(name, "zh") == 0;
    return request->is_chinese || strcmp(name, "en") == 0 ||
           complain("--language", name, "must be zh or en");
}

static bool use_measure(struct request *request, const char *name)
{
    if (request->measure_count == MEASURES_MAX)
        return complain("--measure", name, "is one too many");
    request->measures[request->measure_count++] = name;
    return true;
}

static bool use_district(struct request *request, const char *name)
{
    if (strlen(name) >= sizeof(request->district))
        return complain("--district", name, "is too long");
    snprintf(request->district, sizeof(request->district), "%s", name);
    return true;
}

static bool use_comparison(struct request *request, const char *with)
{
    request->compares = true;
    return strcmp(with, "previous") == 0 || complain("--compare", with, "must be previous");
}

static bool use_option(struct command *command, int option)
{
    struct request *request = &command->request;

    switch (option) {
    case 'm':
        command->month = optarg;
        return true;
    case 'f':
        command->from = optarg;
        return true;
    case 't':
        command->to = optarg;
        return true;
    case 'o':
        command->output = optarg;
        return true;
    case 'a':
        request->area = optarg;
        return true;
    case 'c':
        request->database.config = optarg;
        return true;
    case 'n':
        request->database.conninfo = optarg;
        return true;
    case 'D':
        command->definitions = true;
        return true;
    case 'p':
        request->has_progress = true;
        return true;
    case 'd':
        return use_district(request, optarg);
    case 'M':
        return use_measure(request, optarg);
    case 'F':
        return use_format(command, optarg);
    case 'C':
        return use_comparison(request, optarg);
    case 'l':
        return use_language(request, optarg);
    default:
        return false;
    }
}

static bool write_json(const json_t *report, const struct request *request, FILE *out)
{
    (void)request;
    return json_dumpf(report, out, JSON_INDENT(1)) == 0 && fputc('\n', out) != EOF &&
           fflush(out) == 0;
}

/* Writes into a file beside the wanted one and renames it, so that no half of a report stays. */
static bool write_file(const struct command *command, const json_t *report)
{
    static bool (*const writers[])(const json_t *, const struct request *,
                                   FILE *) = {table_write, csv_write, write_json};
    char spare[4096];
    bool good;

    if (snprintf(spare, sizeof(spare), "%s.part", command->output) >= (int)sizeof(spare))
        return complain("--output", command->output, "is too long");
    if (command->format == XLSX) {
        good = xlsx_write(report, &command->request, spare);
    } else {
        FILE *out = fopen(spare, "w");
        if (out == NULL)
            return perror(spare), false;
        good = writers[command->format](report, &command->request, out);
        good = fclose(out) == 0 && good;
    }
    if (good && rename(spare, command->output) == 0)
        return true;
    perror(command->output);
    unlink(spare);
    return false;
}

static bool write_report(const struct command *command, const json_t *report)
{
    if (command->definitions)
        return table_write_definitions(report, &command->request, stdout);
    if (command->output != NULL)
        return write_file(command, report);
    if (command->format == CSV)
        return csv_write(report, &command->request, stdout);
    return command->format == JSON ? write_json(report, &command->request, stdout)
                                   : table_write(report, &command->request, stdout);
}

static bool has_chinese_locale(void)
{
    const char *locale = setlocale(LC_MESSAGES, NULL);
    return locale != NULL && strncmp(locale, "zh", 2) == 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"month", required_argument, NULL, 'm'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"to", required_argument, NULL, 't'},
                                            {"district", required_argument, NULL, 'd'},
                                            {"area", required_argument, NULL, 'a'},
                                            {"measure", required_argument, NULL, 'M'},
                                            {"format", required_argument, NULL, 'F'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"compare", required_argument, NULL, 'C'},
                                            {"definitions", no_argument, NULL, 'D'},
                                            {"language", required_argument, NULL, 'l'},
                                            {"progress", no_argument, NULL, 'p'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"conninfo", required_argument, NULL, 'n'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'V'},
                                            {NULL, 0, NULL, 0}};
    struct command command = {.request.database.config = DEFAULT_CONFIG};

    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    command.request.is_chinese = has_chinese_locale();
    command.request.has_progress = isatty(STDERR_FILENO);
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h')
            return print_help(stdout), EXIT_OK;
        if (option == 'V')
            return puts("onekey-report " ONEKEY_VERSION), EXIT_OK;
        if (!use_option(&command, option))
            return fprintf(stderr, "onekey-report: see --help\n"), EXIT_USAGE;
    }
    if (optind < argc && !complain(argv[optind], "", "is no option; see --help"))
        return EXIT_USAGE;
    if (command.format == XLSX && command.output == NULL && !command.definitions &&
        !complain("--format", "xlsx", "needs --output FILE"))
        return EXIT_USAGE;
    if (!use_window(&command))
        return EXIT_USAGE;
    json_t *report = load_report(&command.request);
    bool good = report != NULL && write_report(&command, report);
    json_decref(report);
    return good ? EXIT_OK : EXIT_FAILED;
}
