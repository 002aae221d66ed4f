/* The JT/T 808 codec against arbitrary bytes. */
#include "tests/fuzz/codec_fuzz.h"

extern const struct codec jt808_codec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_stream(&jt808_codec, (struct bytes){data, size});
    return 0;
}
