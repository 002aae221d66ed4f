#include "protocol/codec.h"

#include <string.h>

extern const struct codec watch_codec;
extern const struct codec meter_json_codec;
extern const struct codec sia_dc09_codec;
extern const struct codec jt808_codec;
extern const struct codec ev07b_codec;
extern const struct codec cjt188_codec;
extern const struct codec gt06_codec;
extern const struct codec h02_codec;
extern const struct codec eelink_codec;
extern const struct codec ev07_text_codec;

const struct codec *const codecs[] = {
    &watch_codec,  &meter_json_codec, &sia_dc09_codec, &jt808_codec,  &ev07b_codec,
    &cjt188_codec, &gt06_codec,       &h02_codec,      &eelink_codec, &ev07_text_codec,
};
const int codec_count = (int)(sizeof(codecs) / sizeof(codecs[0]));

int codec_find(const char *name)
{
    for (int i = 0; i < codec_count; i++)
        if (strcmp(codecs[i]->name, name) == 0)
            return i;
    return -1;
}
