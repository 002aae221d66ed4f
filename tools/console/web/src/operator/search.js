/* Finds households, residents, telephone numbers, ticket numbers and devices, while one types. */
import { useEffect, useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t, word } from '../lib/i18n.js';
import { get, query } from '../lib/api.js';
import { go } from '../lib/route.js';
import { Dialog, closeDialog, openDialog } from '../ui/dialog.js';
import { Failed } from '../ui/states.js';
import { areaOf } from './row.js';
import { openTicket } from './act.js';

const TYPING_MS = 200;
const LIMIT = 20;

function open(found) {
  closeDialog();
  if (found.ticket_id ?? (found.type === 'ticket' && found.id)) openTicket(found.ticket_id ?? found.id);
  else if (found.household_id) go('homes', found.household_id);
}

function SearchDialog() {
  const [text, setText] = useState('');
  const [result, setResult] = useState({ rows: null, next: null, error: null });
  const read = async (after) => {
    try {
      const page = await get(`/api/search${query({ q: text.trim(), limit: LIMIT, after })}`);
      return { rows: page.rows, next: page.next, error: null };
    } catch (error) {
      return { rows: [], next: null, error };
    }
  };
  useEffect(() => {
    let isWanted = true;
    if (!text.trim()) { setResult({ rows: null, next: null, error: null }); return undefined; }
    const timer = setTimeout(() => read(null).then((page) => isWanted && setResult(page)), TYPING_MS);
    return () => { isWanted = false; clearTimeout(timer); };
  }, [text]);
  const more = async () => {
    const page = await read(result.next);
    setResult((old) => ({ ...page, rows: [...old.rows, ...page.rows] }));
  };
  const move = (event) => {
    if (!/^Arrow(Up|Down)$/.test(event.key)) return;
    const all = [...event.currentTarget.querySelectorAll('input, li button')];
    const index = all.indexOf(document.activeElement) + (event.key === 'ArrowDown' ? 1 : -1);
    all[Math.min(Math.max(index, 0), all.length - 1)]?.focus();
    event.preventDefault();
  };
  return html`<${Dialog} title=${t('search.title')} wide>
    <div class="search" onKeyDown=${move}>
      <label class="field"><span class="hidden">${t('search.what')}</span>
        <input type="search" autofocus value=${text} placeholder=${t('search.what')} autocomplete="off"
          onInput=${({ target }) => setText(target.value)} onKeyDown=${(event) => {
            if (event.key === 'Enter') { event.preventDefault(); if (result.rows?.[0]) open(result.rows[0]); }
          }} /></label>
      <div role="status" class="hidden">${result.rows && t('search.found', { count: result.rows.length })}</div>
      ${result.error && html`<${Failed} error=${result.error} />`}
      ${result.rows?.length === 0 && !result.error && html`<p class="hint">${t('search.nothing')}</p>`}
      <ul class="found">${(result.rows ?? []).map((found) => html`<li key=${`${found.type}${found.id}`}>
        <button type="button" onClick=${() => open(found)}><em class="chip">${t(`search.${found.type}`)}</em>
          <b>${found.title}</b> <span>${found.address ?? ''} ${areaOf(found.area)}</span>
          <small>${found.state ? word('state', found.state) : ''} ${t('search.by', { what: word('matched', found.matched) })}</small>
        </button></li>`)}</ul>
      ${result.next && html`<button type="button" onClick=${more}>${t('search.more')}</button>`}
    </div></${Dialog}>`;
}

export const openSearch = () => openDialog(SearchDialog);
