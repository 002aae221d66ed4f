/* The Eelink codec against arbitrary bytes. */
#include "tests/fuzz/codec_fuzz.h"

extern const struct codec eelink_codec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_stream(&eelink_codec, (struct bytes){data, size});
    return 0;
}
