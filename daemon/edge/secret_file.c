#include "daemon/edge/secret_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool secret_file_read(const char *path, char secret[SECRET_SIZE], char *error, size_t error_size)
{
    FILE *file = fopen(path, "re");
    bool good = file && fgets(secret, SECRET_SIZE, file);

    if (good)
        secret[strcspn(secret, "\r\n")] = '\0';
    else
        snprintf(error, error_size, "%s: %s", path, file ? "empty" : strerror(errno));
    if (file)
        fclose(file);
    return good;
}
