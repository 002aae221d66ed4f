/* The next step as one large button; D does it. */
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';
import { openDialog } from '../ui/dialog.js';
import { Phone } from '../ui/phone.js';
import { act, claim, isBusy, underway } from './act.js';
import { outcomeName } from './row.js';
import { nextStep, shortcuts } from './steps.js';
import { CloseDialog } from './close_dialog.js';
import { DispatchDialog } from './dispatch_dialog.js';

const SHORTCUT_KEYS = { answer: 'a', dispatch: 's', verify: 'v', close: 'x' };

function run(step, ticket, read) {
  if (underway.peek() === step) return; // the same key twice is one step
  switch (step) {
    case 'claim': claim(ticket.id); break;
    case 'dispatch': openDialog(DispatchDialog, { ticket, helpers: read.helpers }); break;
    case 'close': openDialog(CloseDialog, { ticket, outcomes: read.outcomes }); break;
    default: act(ticket.id, step);
  }
}

/* What D would do now; null: nothing, because it is over, another's, or not for this person. */
function ready(ticket, read) {
  const step = nextStep(ticket);
  return step && read.commands.includes(step) ? step : null;
}

export function stepKeys(ticket, read) {
  const step = ready(ticket, read);
  const keys = {};
  for (const name of shortcuts(ticket, read.commands)) keys[SHORTCUT_KEYS[name]] = () => run(name, ticket, read);
  if (step) {
    keys.d = () => run(step, ticket, read);
    if (SHORTCUT_KEYS[step]) keys[SHORTCUT_KEYS[step]] = keys.d;
  }
  return keys;
}

export function NextStep({ ticket, read }) {
  const step = ready(ticket, read);
  if (ticket.state === 'closed')
    return html`<p class="outcome">${t('step.over', { outcome: outcomeName(ticket.kind, ticket.outcome) })}</p>`;
  if (!step) return null;
  return html`<section class="next" aria-label=${t('step.title')}>
    <div class="lead"><p>${t(`step.${step}.why`)}</p>
      ${step === 'answer' && html`<${Phone} number=${ticket.phone} large />`}</div>
    <button class="primary large" disabled=${isBusy.value} onClick=${() => run(step, ticket, read)}>
      ${t(`step.${step}`)} <kbd>D</kbd></button>
    <div class="others">${shortcuts(ticket, read.commands).map((name) => html`<button key=${name}
        disabled=${isBusy.value} onClick=${() => run(name, ticket, read)}>
        ${t(`step.${name}`)} <kbd>${SHORTCUT_KEYS[name].toUpperCase()}</kbd></button>`)}</div>
  </section>`;
}
