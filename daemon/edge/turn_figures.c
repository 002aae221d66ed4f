/* What the turn tells of itself, for metrics and the control socket. */
#include "daemon/edge/turn_state.h"

const char *turn_not_ready(const struct turn *turn)
{
    if (turn->draining)
        return "draining";
    if (ledger_is_full(turn->effects.ledger))
        return "the journal is full";
    if (!store_is_up(turn->effects.store, LANE_ALARM))
        return "the database is away; alarms are accepted and wait";
    return NULL;
}

const struct gateway *turn_gateway(const struct turn *turn)
{
    return turn->effects.gateway;
}

struct inlets_figures turn_inlets(const struct turn *turn)
{
    return inlets_figures(turn->effects.inlets);
}

struct notices_figures turn_notices(const struct turn *turn)
{
    return notices_figures(turn->notices);
}

struct ledger_figures turn_ledger(const struct turn *turn)
{
    return ledger_figures(turn->effects.ledger);
}

struct turn_figures turn_figures(struct turn *turn)
{
    struct turn_figures figures = turn->figures;

    figures.draining = turn->draining;
    figures.directory_complete = turn->directory_complete;
    turn->figures.longest_us = 0;
    return figures;
}

struct escalation_figures turn_escalation(const struct turn *turn)
{
    return escalation_figures(turn->escalation);
}
