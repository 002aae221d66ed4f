#include "daemon/edge/effects.h"

#include "daemon/edge/cipher.h"

static enum append_room append_room(void *context)
{
    struct effects *effects = context;

    /* One frame can be many records, and what they change is recorded between them: the answer must
     * be for all of it, or the last alarm of a frame would be refused. */
    if (ledger_has_room(effects->ledger, ARRIVAL_SIZE_MAX))
        return ledger_has_reserve(effects->ledger) ? APPEND_READY : APPEND_WAIT;
    return ledger_is_full(effects->ledger) ? APPEND_FULL : APPEND_WAIT;
}

static uint64_t append(void *context, enum lane lane, struct bytes payload)
{
    struct effects *effects = context;

    return ledger_append(effects->ledger, (uint8_t)lane, payload.data, payload.size);
}

static void answer(void *context, uint64_t connection, struct bytes data)
{
    inlets_send(((struct effects *)context)->inlets, connection, data);
}

static void hang_up(void *context, uint64_t connection, const char *reason)
{
    (void)reason;
    inlets_hang_up(((struct effects *)context)->inlets, connection);
}

static void publish(void *context, struct bytes topic, struct bytes body)
{
    inlets_publish(((struct effects *)context)->inlets, topic, body);
}

static bool submit(void *context, const struct store_batch *batch)
{
    return store_submit(((struct effects *)context)->store, batch);
}

static void on_rejected(void *context, uint64_t number, bool stored)
{
    struct effects *effects = context;

    effects->begin(effects->context);
    log_event(effects->log, stored ? LOG_ERROR : LOG_CRITICAL, "record.rejected",
              field_unsigned("number", number), field_boolean("parked", stored));
    gateway_parked(effects->gateway, number, stored);
}

static bool park(void *context, const struct arrival *arrival, const char *message)
{
    struct effects *effects = context;

    return store_reject(effects->store, arrival, message, on_rejected, effects);
}

static size_t touch(void *context, const struct device_touch *touches, size_t count)
{
    return store_touch(((struct effects *)context)->store, touches, count);
}

static bool observe(void *context, const struct observation *observations, size_t count)
{
    return store_observe(((struct effects *)context)->store, observations, count);
}

static void keep_profile(void *context, const struct profile *profile)
{
    struct learning *learning = ((struct effects *)context)->learning;

    if (learning)
        learning_put(learning, profile);
}

static bool take_command(void *context, int64_t id)
{
    return command_queue_take(((struct effects *)context)->commands, id);
}

static void end_command(void *context, const struct command_result *result)
{
    command_queue_result(((struct effects *)context)->commands, result);
}

static bool on_read_back(void *context, uint8_t type, uint64_t number, const void *payload,
                         size_t size)
{
    return gateway_refill(((struct effects *)context)->gateway, (enum lane)type, number,
                          (struct bytes){payload, size});
}

static bool read_back(void *context, enum lane lane, uint64_t after)
{
    struct effects *effects = context;

    return ledger_read_back(effects->ledger, (uint8_t)lane, after, on_read_back, effects);
}

struct gateway_ports effects_ports(struct effects *effects)
{
    return (struct gateway_ports){
        .context = effects,
        .append_room = append_room,
        .append = append,
        .send = answer,
        .hang_up = hang_up,
        .publish = publish,
        .submit = submit,
        .park = park,
        .touch = touch,
        .observe = observe,
        .profile = keep_profile,
        .take_command = take_command,
        .command_result = end_command,
        .read_back = read_back,
        .cipher = &openssl_cipher,
        .log = effects->log,
    };
}
