/* The SIA DC-09 codec against arbitrary bytes. */
#include "tests/fuzz/codec_fuzz.h"

extern const struct codec sia_dc09_codec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_stream(&sia_dc09_codec, (struct bytes){data, size});
    return 0;
}
