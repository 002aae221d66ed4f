#include "daemon/edge/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int bind_to(const struct addrinfo *where)
{
    int one = 1, zero = 0;
    int fd = socket(where->ai_family, where->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    /* A stream listener may come back while old connections still linger; two datagram sockets on
     * one port would silently share its datagrams. */
    if (where->ai_socktype == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (where->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    if (bind(fd, where->ai_addr, where->ai_addrlen) == 0)
        return fd;
    int cause = errno;
    close(fd);
    errno = cause;
    return -1;
}

/* All addresses are asked for as IPv6, which takes IPv4 too, unless this machine has no IPv6. */
static int bind_any(int type, uint16_t port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct addrinfo where = {.ai_family = AF_INET6,
                             .ai_socktype = type,
                             .ai_addr = (struct sockaddr *)&six,
                             .ai_addrlen = sizeof(six)};
    int fd = bind_to(&where);
    if (fd >= 0 || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
        return fd;
    where.ai_family = AF_INET;
    where.ai_addr = (struct sockaddr *)&four;
    where.ai_addrlen = sizeof(four);
    return bind_to(&where);
}

int address_bind(int type, const char *address, uint16_t port, char *error, size_t error_size)
{
    int fd;
    if (address[0] == '\0' || strcmp(address, "*") == 0) {
        fd = bind_any(type, port);
    } else {
        char service[8];
        struct addrinfo *where,
            hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = type};
        snprintf(service, sizeof(service), "%u", port);
        if (getaddrinfo(address, service, &hints, &where) != 0) {
            snprintf(error, error_size, "%s: not a numeric address", address);
            return -1;
        }
        fd = bind_to(where);
        freeaddrinfo(where);
    }
    if (fd < 0)
        snprintf(error, error_size, "cannot bind to port %u of %s: %s", port,
                 address[0] ? address : "*", strerror(errno));
    return fd;
}

uint16_t address_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

void address_text(const struct sockaddr_storage *address, char *text, size_t text_size)
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host));
        snprintf(text, text_size, "%s:%u", host, ntohs(four->sin_port));
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        bool is_four = IN6_IS_ADDR_V4MAPPED(&six->sin6_addr);
        if (is_four)
            inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], host, sizeof(host));
        else
            inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host));
        snprintf(text, text_size, is_four ? "%s:%u" : "[%s]:%u", host, ntohs(six->sin6_port));
    } else {
        snprintf(text, text_size, "?");
    }
}

void address_peer_text(int fd, char *text, size_t text_size)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof(address);
    (void)getpeername(fd, (struct sockaddr *)&address, &size);
    address_text(&address, text, text_size);
}
