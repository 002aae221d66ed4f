/* The CJ/T 188 codec against arbitrary bytes. */
#include "tests/fuzz/codec_fuzz.h"

extern const struct codec cjt188_codec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_stream(&cjt188_codec, (struct bytes){data, size});
    return 0;
}
