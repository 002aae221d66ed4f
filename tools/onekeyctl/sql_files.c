#include "tools/onekeyctl/sql_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_sql(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return entry->d_name[0] != '.' && size > 4 && strcmp(entry->d_name + size - 4, ".sql") == 0;
}

/* The whole file as a string, in memory the caller frees; NULL with errno set. */
static char *read_text(const char *path)
{
    FILE *stream = fopen(path, "r");
    char *text = NULL;
    size_t capacity = 0;
    if (stream == NULL)
        return NULL;
    errno = 0;
    if (getdelim(&text, &capacity, '\0', stream) < 0 && errno == 0) {
        free(text);
        text = strdup(""); /* an empty file */
    }
    bool has_nul = text != NULL && strlen(text) > 0 && !feof(stream);
    fclose(stream);
    if (!has_nul && errno == 0)
        return text;
    if (has_nul)
        errno = EILSEQ;
    free(text);
    return NULL;
}

static bool read_one(struct sql_file *file, const char *folder, const char *name)
{
    int size = snprintf(file->path, sizeof(file->path), "%s/%s", folder, name);
    if (size >= (int)sizeof(file->path)) {
        fprintf(stderr, "onekeyctl: the path of %s is too long\n", name);
        return false;
    }
    file->name = strrchr(file->path, '/') + 1;
    file->text = read_text(file->path);
    if (file->text == NULL)
        fprintf(stderr, "onekeyctl: cannot read %s: %s\n", file->path, strerror(errno));
    return file->text != NULL;
}

bool sql_files_read(struct sql_files *files, const char *directory, const char *folder)
{
    char path[SQL_PATH_SIZE];
    struct dirent **entries;
    snprintf(path, sizeof(path), "%s/%s", directory, folder);
    int found = scandir(path, &entries, is_sql, alphasort);
    bool good = found >= 0 && found <= SQL_FILES_MAX;
    if (!good)
        fprintf(stderr, "onekeyctl: cannot list %s: %s\n", path,
                found < 0 ? strerror(errno) : "too many files");
    files->count = 0;
    files->files = calloc(SQL_FILES_MAX, sizeof(*files->files));
    if (files->files == NULL)
        abort(); /* out of memory */
    for (int i = 0; i < found; i++) {
        good = good && read_one(&files->files[files->count++], path, entries[i]->d_name);
        free(entries[i]);
    }
    if (found >= 0)
        free(entries);
    return good;
}

void sql_files_fini(struct sql_files *files)
{
    for (int i = 0; files->files != NULL && i < files->count; i++)
        free(files->files[i].text);
    free(files->files);
}

bool sql_files_find_directory(char out[SQL_PATH_SIZE])
{
    static const char *const places[] = {"../../db", "../share/onekey/db"};
    char program[SQL_PATH_SIZE / 2];
    const char *told = getenv("ONEKEY_DB_DIR");
    if (told != NULL && *told != '\0') {
        snprintf(out, SQL_PATH_SIZE, "%s", told);
        return true;
    }
    ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[size < 0 ? 0 : size] = '\0';
    char *slash = strrchr(program, '/');
    if (slash != NULL)
        *slash = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        char migrations[SQL_PATH_SIZE];
        snprintf(out, SQL_PATH_SIZE, "%s/%s", program, places[i]);
        snprintf(migrations, sizeof(migrations), "%s/%s/migrations", program, places[i]);
        if (access(migrations, R_OK) == 0)
            return true;
    }
    fprintf(stderr, "onekeyctl: no SQL files beside this program; name their folder by --directory "
                    "or ONEKEY_DB_DIR\n");
    return false;
}
