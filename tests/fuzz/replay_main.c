/*
 * Replays a corpus through a fuzz target without libFuzzer: each file named, and each file of each
 * folder named, so that gcc and `make test` run what fuzzing once found.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (1024 * 1024)

/* Ends the program if the file cannot be read: a corpus that is not there tests nothing. */
static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(INPUT_MAX);
    size_t size;

    if (!file || !data) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    size = fread(data, 1, INPUT_MAX, file);
    LLVMFuzzerTestOneInput(data, size);
    fclose(file);
    free(data);
}

/* The number of inputs. */
static int replay(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    int count = 0;

    if (!folder) {
        replay_file(path);
        return 1;
    }
    while ((entry = readdir(folder))) {
        char name[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        replay_file(name);
        count++;
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;

    for (int i = 1; i < argc; i++)
        count += replay(argv[i]);
    printf("# %d inputs replayed\n", count);
    return count > 0 ? 0 : 1;
}
