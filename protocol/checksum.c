#include "protocol/checksum.h"

/* Bit by bit: frames are a few hundred bytes, so a table would cost more cache than it saves time. */
static uint16_t crc16_reflected(struct bytes bytes, uint16_t polynomial, uint16_t initial)
{
    uint16_t crc = initial;

    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= bytes.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)((crc >> 1) ^ ((crc & 1) ? polynomial : 0));
    }
    return crc;
}

uint16_t checksum_crc16_arc(struct bytes bytes)
{
    return crc16_reflected(bytes, 0xA001, 0);
}

uint16_t checksum_crc16_x25(struct bytes bytes)
{
    return crc16_reflected(bytes, 0x8408, 0xFFFF) ^ 0xFFFF;
}

uint16_t checksum_crc16_xmodem(struct bytes bytes)
{
    uint16_t crc = 0;

    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= (uint16_t)(bytes.data[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)((crc << 1) ^ ((crc & 0x8000) ? 0x1021 : 0));
    }
    return crc;
}

uint8_t checksum_xor(struct bytes bytes)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < bytes.size; i++)
        sum ^= bytes.data[i];
    return sum;
}

uint8_t checksum_sum(struct bytes bytes)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < bytes.size; i++)
        sum = (uint8_t)(sum + bytes.data[i]);
    return sum;
}

bool checksum_is_imei(struct bytes packed)
{
    int sum = 0;

    if (packed.size != 8 || packed.data[0] >> 4 != 0)
        return false;
    for (size_t i = 0; i < packed.size; i++) {
        int doubled = 2 * (packed.data[i] >> 4), plain = packed.data[i] & 15;

        if (doubled > 18 || plain > 9)
            return false;
        /* Of two digits again their sum. */
        sum += plain + doubled % 10 + doubled / 10;
    }
    return sum % 10 == 0;
}
