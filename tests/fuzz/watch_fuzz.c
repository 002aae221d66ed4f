/* The watch protocol's codec against arbitrary bytes. */
#include "tests/fuzz/codec_fuzz.h"

extern const struct codec watch_codec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_stream(&watch_codec, (struct bytes){data, size});
    return 0;
}
