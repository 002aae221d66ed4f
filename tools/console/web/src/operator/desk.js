/* The operator's page: queue, ticket in hand, household side by side; on a narrow screen one of them at a time. */
import { useEffect, useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';
import { route } from '../lib/route.js';
import { followRoute, inHand } from './act.js';
import { Queue } from './queue.js';
import { TicketPane } from './ticket.js';
import { HouseholdPane } from './household.js';

export function Desk() {
  const [page, setPage] = useState('queue');
  const { id } = inHand.value;
  useEffect(followRoute, [route.value]);
  useEffect(() => setPage(id === null ? 'queue' : 'ticket'), [id]);
  return html`<div class="desk show-${page}">
    <nav class="pages" aria-label=${t('desk.pages')}>${['queue', 'ticket', 'household'].map((name) => html`
      <button key=${name} aria-current=${page === name ? 'page' : undefined} disabled=${name !== 'queue' && id === null}
        onClick=${() => setPage(name)}>${t(`desk.${name}`)}</button>`)}</nav>
    <${Queue} /><${TicketPane} /><${HouseholdPane} /></div>`;
}
