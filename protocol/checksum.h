/*
 * The checksums that devices use. The check value of each is over the ASCII digits "123456789",
 * as the CRC catalogues give it.
 */
#ifndef ONEKEY_PROTOCOL_CHECKSUM_H
#define ONEKEY_PROTOCOL_CHECKSUM_H

#include "protocol/bytes.h"

/* Polynomial 0x8005 reflected, initial 0: check value BB3D. SIA DC-09. */
uint16_t checksum_crc16_arc(struct bytes bytes);
/* Polynomial 0x1021, initial 0: check value 31C3. EV-07B. */
uint16_t checksum_crc16_xmodem(struct bytes bytes);
/* Polynomial 0x1021 reflected, initial FFFF, inverted: check value 906E. GT06. */
uint16_t checksum_crc16_x25(struct bytes bytes);
/* All bytes exclusive-ored: check value 31. JT/T 808. */
uint8_t checksum_xor(struct bytes bytes);
/* All bytes added modulo 256: check value DD. CJ/T 188. */
uint8_t checksum_sum(struct bytes bytes);
/* Whether these eight bytes of packed decimal are a zero and an IMEI: fourteen digits and the one that
 * makes their sum, every other digit from the last but one on doubled, a multiple of ten. */
bool checksum_is_imei(struct bytes packed);

#endif
