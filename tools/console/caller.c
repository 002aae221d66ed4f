#include "tools/console/caller.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tools/console/http/endpoint.h"

#define HOST_MAX 255

/* Whether `word` of that size is one of blank-separated words, whatever the case. */
static bool is_among(const char *words, const char *word, size_t size)
{
    while (*words != '\0') {
        words += strspn(words, " \t,");
        size_t length = strcspn(words, " \t,");
        if (length == size && size > 0 && strncasecmp(words, word, size) == 0)
            return true;
        words += length;
    }
    return false;
}

static bool is_proxy(const struct config *config, const char *address)
{
    return is_among(config->console.proxies, address, strlen(address));
}

/* Goes back through "client, proxy, proxy" to the last that we do not trust. */
static void follow(const struct config *config, const char *list, char *address, size_t size)
{
    size_t end = strlen(list);
    while (end > 0 && is_proxy(config, address)) {
        size_t begin = end;
        while (begin > 0 && list[begin - 1] != ',')
            begin--;
        size_t skip = begin + strspn(list + begin, " \t"), length = end - skip;
        struct sockaddr_storage name;
        char word[INET6_ADDRSTRLEN];
        while (length > 0 && (list[skip + length - 1] == ' ' || list[skip + length - 1] == '\t'))
            length--;
        if (skip >= end || length >= sizeof(word))
            return;
        memcpy(word, list + skip, length);
        word[length] = '\0';
        if (endpoint_parse(word, 0, &name) == 0)
            return; /* not what a proxy of ours writes */
        snprintf(address, size, "%s", word);
        end = begin > 0 ? begin - 1 : 0;
    }
}

void caller_find(const struct config *config, const struct exchange *exchange, struct caller *out)
{
    const char *forwarded = message_value(&exchange->message, "x-forwarded-for");
    const char *scheme = message_value(&exchange->message, "x-forwarded-proto");
    snprintf(out->address, sizeof(out->address), "%s", exchange->peer);
    out->is_secure = config->console.certificate[0] != '\0';
    if (is_proxy(config, exchange->peer)) {
        out->is_secure = scheme != NULL && strcasecmp(scheme, "https") == 0;
        if (forwarded != NULL)
            follow(config, forwarded, out->address, sizeof(out->address));
    }
    snprintf(out->origin, sizeof(out->origin), "console %s", out->address);
}

bool caller_host_is_ours(const struct config *config, const struct message *message)
{
    const char *host = message_value(message, "host");
    struct sockaddr_storage name;
    char text[HOST_MAX + 1];
    size_t size = strcspn(host, ":");
    if (*host == '[') {
        host++;
        size = strcspn(host, "]");
    }
    if (size == 0 || size > HOST_MAX)
        return false;
    memcpy(text, host, size);
    text[size] = '\0';
    return endpoint_parse(text, 0, &name) != 0 || strcasecmp(text, "localhost") == 0 ||
           is_among(config->console.hosts, text, size);
}

bool caller_is_foreign(const struct message *message)
{
    const char *site = message_value(message, "sec-fetch-site");
    const char *origin = message_value(message, "origin");
    const char *host = message_value(message, "host");
    if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return true;
    if (origin == NULL)
        return false;
    const char *authority = strstr(origin, "://");
    return authority == NULL || strcasecmp(authority + 3, host) != 0;
}
