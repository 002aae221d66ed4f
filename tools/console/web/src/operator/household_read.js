/* The household of the ticket in hand. Each reading stands in the audit, so it is read once for a ticket and again
 * only when asked. */
import { effect, signal } from '@preact/signals';
import { get, query } from '../lib/api.js';
import { inHand } from './act.js';

export const household = signal({ id: null, value: null, error: null });

let asked = 0;

async function readHousehold(id, reason) {
  const mine = ++asked;
  household.value = { id, value: household.peek().id === id ? household.peek().value : null, error: null };
  if (id === null) return;
  try {
    const value = await get(`/api/households/${id}${query({ reason })}`);
    if (mine === asked) household.value = { id, value, error: null };
  } catch (error) {
    if (mine === asked) household.value = { id, value: null, error };
  }
}

export const readAgain = () => readHousehold(household.peek().id, 'again');

let ticketRead = null;

effect(() => {
  const { id, value } = inHand.value;
  if (id === null && ticketRead !== null) {
    ticketRead = null;
    readHousehold(null);
  } else if (value && ticketRead !== id) {
    ticketRead = id;
    readHousehold(value.ticket.household_id ?? null, `ticket:${id}`);
  }
});
