/* Steps of tickets: sends the command, says what became of it, and has the ticket read again. */
import { computed, signal } from '@preact/signals';
import { command, get } from '../lib/api.js';
import { t, word } from '../lib/i18n.js';
import { go, route } from '../lib/route.js';
import { on } from '../lib/live.js';
import { row, seen } from '../lib/store.js';
import { toast } from '../ui/toast.js';

/* The ticket in hand as GET /api/tickets/ID tells it: {id, value, error}. */
export const inHand = signal({ id: null, value: null, error: null });
/* The step that is on its way, by name; null: none. */
export const underway = signal(null);
export const isBusy = computed(() => underway.value !== null);

let asked = 0;

/* Reads the ticket in hand; a later call's answer holds over an earlier one's. */
export async function readInHand(id = inHand.peek().id) {
  if (id === null) return;
  const mine = ++asked;
  const isNew = inHand.peek().id !== id;
  if (isNew) inHand.value = { id, value: null, error: null };
  try {
    const value = await get(`/api/tickets/${id}`);
    if (mine === asked) inHand.value = { id, value, error: null };
  } catch (error) {
    if (mine === asked) inHand.value = { id, value: isNew ? null : inHand.peek().value, error };
  }
}

export function openTicket(id) {
  seen(id);
  go('desk', id);
}

export function closeTicket() {
  go('desk');
}

/* Why a command was refused, in the reader's language. */
function refusal(reply) {
  return word('code', reply.code ?? 'unknown').replace('{owner}', reply.owner ?? '–');
}

/* Resolves with whether it stands. */
export async function act(id, name, args = {}, { quiet } = {}) {
  if (!quiet) underway.value = name;
  const reply = await command(id, name, args);
  if (!quiet && underway.value === name) underway.value = null;
  if (!reply.ok && !quiet) toast(refusal(reply), 'bad');
  if (reply.ok && !quiet) toast(t('act.done', { what: t(`command.${name}`), id }));
  if (inHand.peek().id === id && !quiet) readInHand();
  return reply.ok;
}

export async function claim(id) {
  const ticket = row(id)?.peek();
  if (await act(id, 'claim')) {
    openTicket(id);
    return true;
  }
  if (ticket) openTicket(id);
  return false;
}

/* The address says which ticket is in hand. */
export function followRoute() {
  const id = route.value[0] === 'desk' && Number(route.value[1]) || null;
  if (id === inHand.peek().id) return;
  if (id === null) inHand.value = { id: null, value: null, error: null };
  else readInHand(id);
}

on('ticket', (ticket) => { if (ticket.id === inHand.peek().id) readInHand(); });
on('link', () => readInHand());
