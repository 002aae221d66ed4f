/* Lists the codecs that this build has, one name a line. */
#include "protocol/codec.h"
#include "tools/sim/command.h"

#include <stdio.h>
#include <string.h>

int protocols_command(int argc, char **argv)
{
    bool streams_only = argc > 1 && strcmp(argv[1], "--stream") == 0;

    for (int i = 0; i < codec_count; i++)
        if (!streams_only || codecs[i]->split)
            printf("%s\n", codecs[i]->name);
    return 0;
}
