/*
 * The SQL files of a folder, in the order of their names. Owns names and texts.
 */
#ifndef ONEKEY_ONEKEYCTL_SQL_FILES_H
#define ONEKEY_ONEKEYCTL_SQL_FILES_H

#include "daemon/base/attributes.h"

#include <stdbool.h>

#define SQL_FILES_MAX 500
#define SQL_PATH_SIZE 4096

struct sql_file {
    char path[SQL_PATH_SIZE];
    const char *name; /* points into path */
    char *text;
};

struct sql_files {
    int count;
    struct sql_file *files;
};

/* Every .sql file of DIRECTORY/FOLDER. False, and said why, if one cannot be read; fini all the
 * same. */
bool sql_files_read(struct sql_files *files, const char *directory, const char *folder) MUST_USE;
void sql_files_fini(struct sql_files *files);
/* Where the SQL files are: ONEKEY_DB_DIR, else beside this program in a source tree or as installed.
 * False, and said, if they are in none of these places. */
bool sql_files_find_directory(char out[SQL_PATH_SIZE]) MUST_USE;

#endif
