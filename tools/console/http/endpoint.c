#include "tools/console/http/endpoint.h"

#include <arpa/inet.h>

socklen_t endpoint_parse(const char *address, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)out;
    *out = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    if (inet_pton(AF_INET, address, &ipv4->sin_addr) == 1) {
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(port);
        return sizeof(*ipv4);
    }
    if (inet_pton(AF_INET6, address, &ipv6->sin6_addr) == 1) {
        ipv6->sin6_family = AF_INET6;
        ipv6->sin6_port = htons(port);
        return sizeof(*ipv6);
    }
    return 0;
}

void endpoint_print(const struct sockaddr *name, char out[INET6_ADDRSTRLEN])
{
    out[0] = '\0';
    if (name->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)name)->sin_addr, out, INET6_ADDRSTRLEN);
    } else if (name->sa_family == AF_INET6) {
        const struct in6_addr *address = &((const struct sockaddr_in6 *)name)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(address))
            inet_ntop(AF_INET, &address->s6_addr[12], out, INET6_ADDRSTRLEN);
        else
            inet_ntop(AF_INET6, address, out, INET6_ADDRSTRLEN);
    }
}

uint16_t endpoint_port(const struct sockaddr_storage *name)
{
    return ntohs(name->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)name)->sin6_port
                                             : ((const struct sockaddr_in *)name)->sin_port);
}
