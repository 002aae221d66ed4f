#include "tools/console/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 512
#define DIGITS_MAX 18

/* clang-format off */
static const struct route routes[] = {
    {MESSAGE_POST, "/api/session", ROUTE_LOG_IN, "log_in", {NULL}},
    {MESSAGE_GET, "/api/session", ROUTE_DATABASE, "session", {NULL}},
    {MESSAGE_DELETE, "/api/session", ROUTE_LOG_OUT, "log_out", {NULL}},
    {MESSAGE_GET, "/api/dictionary", ROUTE_DATABASE, "dictionary", {NULL}},
    {MESSAGE_GET, "/api/queue", ROUTE_DATABASE, "queue", {"lane", "limit", "after", "mine", NULL}},
    {MESSAGE_GET, "/api/summary", ROUTE_DATABASE, "summary", {NULL}},
    {MESSAGE_GET, "/api/tickets/{id}", ROUTE_DATABASE, "ticket", {NULL}},
    {MESSAGE_POST, "/api/tickets/{id}/{command}", ROUTE_DATABASE, "command", {NULL}},
    {MESSAGE_GET, "/api/households/{id}", ROUTE_DATABASE, "household", {"reason", NULL}},
    {MESSAGE_PUT, "/api/households/{id}/contacts", ROUTE_DATABASE, "contacts_set", {NULL}},
    {MESSAGE_GET, "/api/search", ROUTE_DATABASE, "search", {"q", "limit", "after", NULL}},
    {MESSAGE_GET, "/api/events", ROUTE_EVENTS, "events", {NULL}},
    {MESSAGE_POST, "/api/shift", ROUTE_DATABASE, "shift", {NULL}},
    {MESSAGE_GET, "/api/on-duty", ROUTE_DATABASE, "on_duty", {NULL}},
    {MESSAGE_GET, "/api/unstored", ROUTE_UNSTORED, "session", {NULL}},
    {MESSAGE_GET, "/api/wall", ROUTE_DATABASE, "wall", {NULL}},
    {MESSAGE_GET, "/api/users", ROUTE_DATABASE, "users", {NULL}},
    {MESSAGE_POST, "/api/users", ROUTE_PASSWORD, "user_add", {NULL}},
    {MESSAGE_POST, "/api/users/{name}", ROUTE_PASSWORD, "user_change", {NULL}},
    {MESSAGE_GET, "/api/absences", ROUTE_DATABASE, "absences", {"household_id", NULL}},
    {MESSAGE_POST, "/api/absences", ROUTE_DATABASE, "absence_add", {NULL}},
    {MESSAGE_POST, "/api/absences/{id}", ROUTE_DATABASE, "absence_end", {NULL}},
    {MESSAGE_GET, "/api/policy", ROUTE_DATABASE, "policy", {NULL}},
    {MESSAGE_POST, "/api/policy", ROUTE_DATABASE, "policy_set", {NULL}},
    {MESSAGE_GET, "/api/escalation", ROUTE_DATABASE, "escalation", {NULL}},
    {MESSAGE_POST, "/api/escalation", ROUTE_DATABASE, "escalation_set", {NULL}},
    {MESSAGE_GET, "/api/escalation-policy", ROUTE_DATABASE, "escalation_policy", {NULL}},
    {MESSAGE_POST, "/api/escalation-policy", ROUTE_DATABASE, "escalation_policy_set", {NULL}},
    {MESSAGE_GET, "/api/disasters", ROUTE_DATABASE, "disasters", {NULL}},
    {MESSAGE_POST, "/api/disasters", ROUTE_DATABASE, "disaster_set", {NULL}},
    {MESSAGE_POST, "/api/disasters/{id}", ROUTE_DATABASE, "disaster_set", {NULL}},
    {MESSAGE_POST, "/api/contact-attempts/{id}", ROUTE_DATABASE, "contact_result", {NULL}},
    {MESSAGE_POST, "/api/contact-reply", ROUTE_REPLY, "contact_reply", {NULL}},
    {MESSAGE_GET, "/api/measures", ROUTE_DATABASE, "measures", {"language", NULL}},
    {MESSAGE_GET, "/api/measures/{name}", ROUTE_SLOW, "measure",
     {"month", "from", "until", "area", "compare", "filter", "answer_over", NULL}},
    {MESSAGE_GET, "/api/report", ROUTE_REPORT, "report",
     {"month", "from", "until", "area", "compare", "format", "language", NULL}},
    {MESSAGE_GET, "/api/care/due", ROUTE_DATABASE, "care_due", {"limit", "after", NULL}},
    {MESSAGE_GET, "/api/care/plans", ROUTE_DATABASE, "care_plans", {"household_id", NULL}},
    {MESSAGE_POST, "/api/care/plans", ROUTE_DATABASE, "care_plan_set", {NULL}},
    {MESSAGE_POST, "/api/care/weather", ROUTE_DATABASE, "care_weather", {NULL}},
    {MESSAGE_POST, "/api/care/{id}", ROUTE_DATABASE, "care_done", {NULL}},
    {MESSAGE_GET, "/api/audits", ROUTE_DATABASE, "audits", {"month", NULL}},
    {MESSAGE_POST, "/api/audits/draw", ROUTE_SLOW, "audits_draw", {NULL}},
    {MESSAGE_POST, "/api/audits/{id}", ROUTE_DATABASE, "audit_done", {NULL}},
    {MESSAGE_GET, "/api/audit", ROUTE_DATABASE, "audit", {"since", "actor", "object", "limit", NULL}},
};
/* clang-format on */

static bool is_number(const char *text, size_t size)
{
    return size > 0 && size <= DIGITS_MAX && strspn(text, "0123456789") >= size;
}

static bool is_word(const char *text, size_t size)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
    return size > 0 && size <= 64 && strspn(text, letters) >= size;
}

/* Goes through pattern and path together. `arguments`, if not NULL, gets what stands in braces. */
static bool match(const char *pattern, const char *path, json_t *arguments)
{
    while (*pattern != '\0') {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t name_size = strcspn(pattern, "}") - 1, size = strcspn(path, "/");
        bool is_id = strncmp(pattern + 1, "id", name_size) == 0;
        if (is_id ? !is_number(path, size) : !is_word(path, size))
            return false;
        if (arguments != NULL && is_id)
            json_object_set_new(arguments, "id", json_integer(strtoll(path, NULL, 10)));
        else if (arguments != NULL)
            json_object_setn_new(arguments, pattern + 1, name_size, json_stringn(path, size));
        pattern += name_size + 2;
        path += size;
    }
    return *path == '\0';
}

enum route_result route_find(const struct message *message, const struct route **out,
                             char allowed[64])
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    size_t used = 0;
    enum message_method method = message->method == MESSAGE_HEAD ? MESSAGE_GET : message->method;
    allowed[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
        if (!match(routes[i].path, message->path, NULL))
            continue;
        *out = &routes[i];
        if (routes[i].method == method)
            return ROUTE_FOUND;
        used += (size_t)snprintf(allowed + used, 64 - used, "%s%s", used == 0 ? "" : ", ",
                                 names[routes[i].method]);
    }
    return used == 0 ? ROUTE_MISSING : ROUTE_OTHER_METHOD;
}

/* Whether the query names that argument at all. */
static bool has_argument(const char *query, const char *name)
{
    size_t size = strlen(name);
    for (; *query != '\0'; query += *query == '&') {
        if (strncmp(query, name, size) == 0 && query[size] == '=')
            return true;
        query += strcspn(query, "&");
    }
    return false;
}

json_t *route_arguments(const struct route *route, const struct message *message)
{
    json_t *arguments = json_object();
    char value[VALUE_MAX];
    bool good = match(route->path, message->path, arguments);
    for (const char *const *name = route->query; good && *name != NULL; name++) {
        if (!has_argument(message->query, *name))
            continue;
        good = message_argument(message->query, *name, value, sizeof(value));
        if (good && value[0] != '\0')
            json_object_set_new(arguments, *name, json_string(value));
    }
    if (good)
        return arguments;
    json_decref(arguments);
    return NULL;
}
