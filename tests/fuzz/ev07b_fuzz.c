/* The EV-07B codec against arbitrary bytes. */
#include "tests/fuzz/codec_fuzz.h"

extern const struct codec ev07b_codec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_stream(&ev07b_codec, (struct bytes){data, size});
    return 0;
}
