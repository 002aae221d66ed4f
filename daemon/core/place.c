#include "daemon/core/place.h"

#include <math.h>

#define PI 3.14159265358979323846
#define EARTH_M 6371000.0
/* Krasovsky 1940, which GCJ-02 is computed on. */
#define AXIS_M 6378245.0
#define ECCENTRICITY 0.00669342162296594323

static double radians(double degrees)
{
    return degrees * PI / 180;
}

static double degrees(int32_t e7)
{
    return (double)e7 / 1e7;
}

double place_distance_m(struct place a, struct place b)
{
    double north = radians(degrees(b.latitude_e7) - degrees(a.latitude_e7));
    double east = radians(degrees(b.longitude_e7) - degrees(a.longitude_e7));
    double chord = pow(sin(north / 2), 2) + cos(radians(degrees(a.latitude_e7))) *
                                                cos(radians(degrees(b.latitude_e7))) *
                                                pow(sin(east / 2), 2);

    return 2 * EARTH_M * asin(chord < 1 ? sqrt(chord) : 1);
}

static double waves(double value, double amplitude_long, double period_long, double amplitude_far)
{
    return (amplitude_long * sin(value / period_long * PI) +
            amplitude_far * sin(value / (period_long * 2.5) * PI)) *
           2 / 3;
}

/* The shift in metres on the ground, by degrees from 105 E, 35 N. */
static double shift_north(double x, double y)
{
    double ripple = (20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2 / 3;

    return -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(fabs(x)) + ripple +
           (20 * sin(y * PI) + 40 * sin(y / 3 * PI)) * 2 / 3 + waves(y, 160, 12, 320);
}

static double shift_east(double x, double y)
{
    double ripple = (20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2 / 3;

    return 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(fabs(x)) + ripple +
           (20 * sin(x * PI) + 40 * sin(x / 3 * PI)) * 2 / 3 + waves(x, 150, 12, 300);
}

struct place place_to_gcj02(struct place wgs84)
{
    double latitude = degrees(wgs84.latitude_e7), longitude = degrees(wgs84.longitude_e7);
    double sine = sin(radians(latitude)), magic = 1 - ECCENTRICITY * sine * sine;
    double x = longitude - 105, y = latitude - 35;

    if (longitude < 72.004 || longitude > 137.8347 || latitude < 0.8293 || latitude > 55.8271)
        return wgs84;
    double north =
        shift_north(x, y) * 180 / ((AXIS_M * (1 - ECCENTRICITY)) / (magic * sqrt(magic)) * PI);
    double east = shift_east(x, y) * 180 / (AXIS_M / sqrt(magic) * cos(radians(latitude)) * PI);

    return (struct place){wgs84.latitude_e7 + (int32_t)lround(north * 1e7),
                          wgs84.longitude_e7 + (int32_t)lround(east * 1e7)};
}
