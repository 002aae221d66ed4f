/*
 * Is it the device that it says it is? A device is believed as it comes, as most protocols have no
 * proof, unless a secret is registered for it: then only what is proven counts, by the protocol itself
 * (struct codec_session.authenticated) or by what carries it: a client certificate that names the
 * device, or a broker that lets each device publish below its own identity only. A certificate that
 * names another device is a contradiction whether or not there is a secret.
 *
 * An alarm that is not proven is taken and flagged. Nothing else that is not proven changes anything:
 * it is no life sign, no reading, no position, ends no silence, closes no ticket, and takes no commands
 * meant for the device. So who forges a device can make people look after somebody, and never make
 * them look away.
 */
#include "daemon/core/gateway_state.h"

#include <string.h>

enum proof { PROOF_NONE, PROOF_GIVEN, PROOF_CONTRADICTED };

/* onekey/v1/<kind>/<identity>/... proves that identity; other topics are those of network servers,
 * which are believed in whatever they name. */
static enum proof proof_of_topic(struct bytes topic, const char *identity)
{
    struct bytes level = {NULL, 0};

    if (!bytes_starts_with(topic, "onekey/v1/"))
        return PROOF_GIVEN;
    for (int i = 0; i <= 3; i++)
        if (!bytes_next_field(&topic, '/', &level))
            return PROOF_NONE;
    return bytes_equal_text(level, identity) ? PROOF_GIVEN : PROOF_NONE;
}

static enum proof proof_of_carrier(const struct gateway *gateway, const struct origin *origin,
                                   const char *identity)
{
    const struct session *session = session_find(gateway, origin->session);

    if (!session)
        return gateway->settings.mqtt_proves ? proof_of_topic(origin->message->topic, identity)
                                             : PROOF_NONE;
    if (!session->is_proven || identity[0] == '\0')
        return PROOF_NONE;
    return strcmp(session->proven, identity) == 0 ? PROOF_GIVEN : PROOF_CONTRADICTED;
}

void proof_judge(struct gateway *gateway, const struct origin *origin, uint32_t device,
                 struct signal *signal)
{
    const struct codec_session *memory = origin->memory;
    enum proof proof = proof_of_carrier(gateway, origin, signal->identity);
    bool has_secret = device != NO_DEVICE && gateway->registry.secrets[device].size > 0;
    bool has_shown = memory->authenticated && strcmp(memory->identity, signal->identity) == 0;

    if (proof == PROOF_GIVEN)
        signal->flags &= ~(uint32_t)SIGNAL_FLAG_UNAUTHENTICATED;
    else if (proof == PROOF_CONTRADICTED || (has_secret && !has_shown))
        signal->flags |= SIGNAL_FLAG_UNAUTHENTICATED;
    if (signal->flags & SIGNAL_FLAG_UNAUTHENTICATED)
        gateway->counters.unauthenticated++;
}
