/*
 * A secret that stands in the first line of a file: passwords, keys of signatures.
 */
#ifndef ONEKEY_EDGE_SECRET_FILE_H
#define ONEKEY_EDGE_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/attributes.h"

#define SECRET_SIZE 256

/* The line without its end, for the caller to wipe. False, and "path: reason" in `error`, if there is none. */
bool secret_file_read(const char *path, char secret[SECRET_SIZE], char *error,
                      size_t error_size) MUST_USE;

#endif
