/* The GT06 codec against arbitrary bytes. */
#include "tests/fuzz/codec_fuzz.h"

extern const struct codec gt06_codec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_stream(&gt06_codec, (struct bytes){data, size});
    return 0;
}
