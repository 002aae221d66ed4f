/*
 * Reads the configuration from INI files by one table. The main file is read first, then those of
 * conf.d beside it that end in .conf, in alphabetical order; the last value wins. Whatever is not
 * understood is an error with file and line, what was found and what to do; all errors are told, and
 * after any error the struct must not be used. Secrets are named by path and never stand here.
 *
 * A reload reads a second struct, and the caller swaps it in only if it is sound and config_differs
 * finds no change that needs a restart.
 */
#ifndef ONEKEY_BASE_CONFIG_H
#define ONEKEY_BASE_CONFIG_H

#include "daemon/base/attributes.h"
#include "daemon/base/settings.h"

#include <stdio.h>

/* All defaults, no listeners. */
void config_init(struct config *config);
/* A section of that name with all defaults, or the one that has the name already: `section` is listen,
 * webhook, mail or exec and the result the struct of its kind. NULL if there are too many or the name is
 * not 1 to 47 letters, digits, '.', '-' or '_'. */
void *config_add(struct config *config, const char *section, const char *name);
/* Defaults, then the file at `path` and the drop-ins. Returns the number of errors, each
 * told to on_error as "file:line: what; what to do". */
int config_load(struct config *config, const char *path, void *context,
                void (*on_error)(void *context, const char *text)) MUST_USE;
/* The same from one open stream; `file` is its name in errors. */
int config_read(struct config *config, FILE *stream, const char *file, void *context,
                void (*on_error)(void *context, const char *text)) MUST_USE;
/* Names each key ("journal.directory", "listen watch.port") that differs and cannot be changed
 * without a restart; returns how many. */
int config_differs(const struct config *running, const struct config *wanted, void *context,
                   void (*on_key)(void *context, const char *key));

#endif
