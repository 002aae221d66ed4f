/*
 * Writes what is documented of the configuration from its table:
 *
 *     config_docs options     the options part of onekeyd.conf(5), in mdoc
 *     config_docs example     onekeyd.conf.example
 */
#include "daemon/base/config.h"
#include "daemon/base/config_print.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 68 /* a word of markup or two still fits behind */

static const char *section = "";

/* A word as mdoc reads it: no control line by chance, no backslash with a meaning. */
static void print_mdoc_word(const char *word, size_t size)
{
    if (*word == '.' || *word == '\'')
        fputs("\\&", stdout);
    for (size_t i = 0; i < size; i++) {
        if (word[i] == '\\')
            fputs("\\e", stdout);
        else
            fputc(word[i], stdout);
    }
}

/* Text in lines of moderate length; a sentence begins a line. */
static void print_mdoc(const char *text)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, " ");
        bool ends =
            text[size - 1] == '.' && isupper((unsigned char)text[size + strspn(text + size, " ")]);
        bool breaks = column + 1 + size > COLUMNS;
        if (column > 0)
            fputc(breaks ? '\n' : ' ', stdout);
        print_mdoc_word(text, size);
        column = ends ? 0 : breaks ? size : column + 1 + size;
        if (ends)
            fputc('\n', stdout);
        text += size;
        text += strspn(text, " ");
    }
}

static void print_option(void *context, const struct config_item *item)
{
    (void)context;
    if (strcmp(section, item->section) != 0) {
        printf("%s.Ss Section %s%s\n.Bl -tag -width indent\n", *section == '\0' ? "" : ".El\n",
               item->section, item->name[0] == '\0' ? "" : " NAME");
        section = item->section;
    }
    printf(".It Cm %s\n", item->key);
    print_mdoc(item->help);
    printf("\nGive ");
    print_mdoc(item->accepts);
    printf(".\n");
    if (item->initial[0] != '\0')
        printf("The default is\n.Ql %s .\n", item->initial);
    if (item->reloadable)
        printf("A reload changes it.\n");
}

/* The effective configuration with everything that need not be given as a comment. */
static void print_example(const struct config *config)
{
    char *text = NULL, *rest;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        abort(); /* out of memory */
    config_print(config, out);
    fclose(out);
    puts("# Configuration of onekeyd; see onekeyd.conf(5). What is commented out is the default.\n"
         "# Files of conf.d beside this one that end in .conf are read after it. Check the result\n"
         "# with `onekeyctl check`.\n");
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        /* What must be complete where it is given: the sample is a comment. */
        bool is_sample = strncmp(line, "[webhook ", 9) == 0 || strncmp(line, "[mail ", 6) == 0 ||
                         strncmp(line, "[exec ", 6) == 0 || strncmp(line, "[meter-json ", 12) == 0;
        bool is_given = strncmp(line, "port = 7700", 11) == 0 || (line[0] == '[' && !is_sample);
        printf("%s%s%s\n", line[0] == '[' && line != text ? "\n" : "",
               is_given || line[0] == '#' ? "" : "#", line);
    }
    free(text);
}

int main(int argc, char **argv)
{
    struct config config;
    config_init(&config);
    struct config_listener *listener = config_add(&config, "listen", "devices");
    if (listener == NULL || config_add(&config, "webhook", "family") == NULL ||
        config_add(&config, "mail", "desk") == NULL || config_add(&config, "exec", "sms") == NULL ||
        config_add(&config, "meter-json", "vendor") == NULL ||
        config_add(&config, "scheme", "night") == NULL)
        abort();
    listener->port = 7700;
    if (argc == 2 && strcmp(argv[1], "options") == 0) {
        config_print_each(&config, NULL, print_option);
        puts(".El");
    } else if (argc == 2 && strcmp(argv[1], "example") == 0) {
        print_example(&config);
    } else {
        fputs("usage: config_docs options | example\n", stderr);
        return 2;
    }
    return 0;
}
