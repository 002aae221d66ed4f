/* Where things are. Coordinates are degrees times 1e7. */
#ifndef ONEKEY_CORE_PLACE_H
#define ONEKEY_CORE_PLACE_H

#include <stdint.h>

struct place {
    int32_t latitude_e7, longitude_e7;
};

/* Metres between two places of one datum, on a sphere of 6,371 km; within 0.5 % of the ellipsoid. */
double place_distance_m(struct place a, struct place b);
/* The same place in GCJ-02, the shifted datum of maps and many devices in mainland China, from WGS-84.
 * Outside China (72.004 to 137.8347 E, 0.8293 to 55.8271 N) they are the same. Published approximation,
 * good to some metres. */
struct place place_to_gcj02(struct place wgs84);

#endif
