/* Notes: added, struck, never deleted. What is being written is kept on this computer until it is sent. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';
import { draft, keepDraft } from '../lib/drafts.js';
import { useKeys } from '../lib/keys.js';
import { session } from '../lib/api.js';
import { may } from '../lib/store.js';
import { moment } from '../lib/time.js';
import { act } from './act.js';

function Note({ ticket, note, canStrike }) {
  const [isAsked, setAsked] = useState(false);
  const strike = () => { setAsked(false); act(ticket.id, 'strike', { event_id: note.id }); };
  const isMine = note.actor === session.value.user.name;
  return html`<li class=${note.struck ? 'struck' : ''}>
    <p>${note.struck ? html`<s>${note.detail?.text}</s>` : note.detail?.text}</p>
    <small>${note.actor} · ${moment(note.at)}${note.struck ? ` · ${t('notes.struck')}` : ''}</small>
    ${canStrike && !note.struck && (isMine || may('override_note')) && (isAsked
      ? html`<span class="ask">${t('notes.strike_ask')}
          <button class="small danger" onClick=${strike}>${t('notes.strike')}</button>
          <button class="small quiet" onClick=${() => setAsked(false)}>${t('dialog.cancel')}</button></span>`
      : html`<button class="small quiet" onClick=${() => setAsked(true)}>${t('notes.strike')}</button>`)}</li>`;
}

export function Notes({ ticket, read }) {
  const field = useRef();
  const [text, setText] = useState(draft(ticket.id));
  const [isSending, setSending] = useState(false);
  const notes = read.events.filter(({ kind }) => kind === 'note');
  const canWrite = read.commands.includes('note');
  useKeys({ n: () => (canWrite ? field.current.focus() : false) });
  useEffect(() => { setText(draft(ticket.id)); }, [ticket.id]);
  const write = (value) => { setText(value); keepDraft(ticket.id, value); };
  const send = async (event) => {
    event?.preventDefault();
    if (!text.trim() || isSending) return;
    setSending(true);
    if (await act(ticket.id, 'note', { text: text.trim() })) write('');
    setSending(false);
  };
  const onKeyDown = (event) => {
    if (event.ctrlKey && event.key === 'Enter') send();
    if (event.key === 'Escape') event.target.blur();
  };
  if (!canWrite && notes.length === 0) return null;
  return html`<section class="notes" aria-label=${t('notes.title')}><h2>${t('notes.title')}</h2>
    <ul>${notes.map((note) => html`<${Note} key=${note.id} ticket=${ticket} note=${note}
      canStrike=${read.commands.includes('strike')} />`)}</ul>
    ${canWrite && html`<form onSubmit=${send}>
      <label><span class="hidden">${t('notes.write')}</span>
        <textarea ref=${field} rows="2" maxLength="4000" value=${text} placeholder=${t('notes.write')}
          onInput=${({ target }) => write(target.value)} onKeyDown=${onKeyDown} /></label>
      <button type="submit" disabled=${!text.trim() || isSending}>${t('notes.send')} <kbd>Ctrl+Enter</kbd></button>
    </form>`}</section>`;
}
