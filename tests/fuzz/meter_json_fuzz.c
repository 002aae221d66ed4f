/* The JSON codec against arbitrary topics and payloads. */
#include "tests/fuzz/codec_fuzz.h"

extern const struct codec meter_json_codec;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_message(&meter_json_codec, (struct bytes){data, size});
    return 0;
}
