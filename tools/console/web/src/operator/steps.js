/* What comes next for a ticket: the guided way through it. The database decides what is allowed (`commands`); here
 * stands only the order in which a person is led. */

const WAYS = {
  alarm: ['claim', 'answer', 'dispatch', 'scene', 'verify', 'close'],
  water: ['claim', 'answer', 'dispatch', 'scene', 'verify', 'close'],
  technical: ['claim', 'dispatch', 'close'],
  service: ['claim', 'answer', 'close'],
  care: ['claim', 'answer', 'close'],
  test: ['claim', 'close'],
};
const STAMPS = {
  claim: 'claimed_at', answer: 'answered_at', dispatch: 'dispatched_at', scene: 'on_scene_at', verify: 'verified_at',
  close: 'closed_at',
};
/* From here on, what lies before is past, done or not. */
const REACHED = { open: 0, claimed: 1, dispatched: 3, on_scene: 4, verified: 5, closed: 6 };
const ALL = ['claim', 'answer', 'dispatch', 'scene', 'verify', 'close'];

function isDone(ticket, step) {
  if (step === 'claim') return Boolean(ticket.claimed_by);
  if (step === 'answer') return ticket.is_answered;
  return REACHED[ticket.state] > ALL.indexOf(step);
}

/* The steps with their state: done (at), next, later, past (left out on the way). */
export function wayOf(ticket) {
  const way = WAYS[ticket.class] ?? WAYS.alarm;
  const next = nextStep(ticket);
  const reached = way.indexOf(next);
  return way.map((name, index) => {
    if (ticket.state === 'closed' ? ticket[STAMPS[name]] : isDone(ticket, name))
      return { name, state: 'done', at: ticket[STAMPS[name]] };
    if (name === next) return { name, state: 'next' };
    return { name, state: ticket.state === 'closed' || (reached >= 0 && index < reached) ? 'past' : 'later' };
  });
}

/* The one that a person is led to; null: nothing is left to do. */
export function nextStep(ticket) {
  if (ticket.state === 'closed') return null;
  if (!ticket.claimed_by) return 'claim';
  if (ticket.is_test && ticket.state === 'claimed') return 'close';
  const way = WAYS[ticket.class] ?? WAYS.alarm;
  return way.find((step) => ALL.indexOf(step) >= REACHED[ticket.state] && !isDone(ticket, step)) ?? null;
}

/* Other ways on that are open now: an alarm whose person is well needs no helper, one who does not answer does. */
export function shortcuts(ticket, commands) {
  const next = nextStep(ticket);
  const isUsual = (step) => ALL.indexOf(step) >= REACHED[ticket.state] || step === 'answer' && !ticket.is_answered
    || step === 'dispatch';
  return ['answer', 'dispatch', 'verify', 'close'].filter((step) =>
    step !== next && commands.includes(step) && isUsual(step)
    && !(step === 'close' && ticket.class === 'alarm' && !ticket.is_answered && ticket.state === 'claimed'));
}

/* Who is sent first, unless the person at the desk knows better. */
export const FIRST_HELPERS = {
  alarm: ['120', 'family', 'neighbourhood'], water: ['neighbourhood', 'family'], technical: ['technician'],
};
/* The helper that a contact of the household is. */
export const HELPER_OF_ROLE = {
  family: 'family', key_holder: 'key_holder', neighbourhood: 'neighbourhood', volunteer: 'volunteer',
};
