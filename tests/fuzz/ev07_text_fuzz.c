/* The codec of the text form of EV-07 against arbitrary bytes. */
#include "tests/fuzz/codec_fuzz.h"

extern const struct codec ev07_text_codec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_stream(&ev07_text_codec, (struct bytes){data, size});
    return 0;
}
