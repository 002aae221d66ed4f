/* The figures of a month, or of days, of the district or one area: each measure of the catalog with its definition. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { get, query, session } from '../lib/api.js';
import { language, nameOf, t } from '../lib/i18n.js';
import { dictionary } from '../lib/store.js';
import { openDialog } from '../ui/dialog.js';
import { Loaded, useLoad } from '../ui/load.js';
import { openTicket } from '../operator/act.js';
import { Measure } from './measure.js';
import { TicketsDialog } from './tickets.js';
import { labelsOf, ticketsOf, valueText } from './value.js';
import './style.js';

const LONG_MS = 60000;
const before = (today) => {
  const [year, month] = today.split('-').map(Number);
  return month === 1 ? `${year - 1}-12` : `${year}-${String(month - 1).padStart(2, '0')}`;
};

/* Reads one measure after the other, so that one page holds up the database for nobody else. */
function useFigures(measures, asked) {
  const [told, setTold] = useState({});
  const [round, setRound] = useState(0);
  const path = query(asked);
  useEffect(() => {
    let isWanted = true;
    setTold({});
    (async () => {
      for (const { name } of measures) {
        const one = await get(`/api/measures/${name}${path}`, LONG_MS).catch((error) => ({ error }));
        if (!isWanted) return;
        setTold((all) => ({ ...all, [name]: one }));
      }
    })();
    return () => { isWanted = false; };
  }, [measures, path, round]);
  return [told, () => setRound((n) => n + 1)];
}

function Picker({ form, set, areas }) {
  return html`<form class="filter" onSubmit=${(event) => event.preventDefault()}>
    <label class="field">${t('figures.month')}<input type="month" value=${form.month} required
      onChange=${({ target }) => target.value && set({ ...form, month: target.value })} /></label>
    <label class="field">${t('figures.area')}<select value=${form.area} onChange=${({ target }) => set({ ...form, area: target.value })}>
      <option value="">${t('figures.all_areas')}</option>
      ${areas.filter(({ level }) => level !== 'district').map((area) => html`<option key=${area.code} value=${area.code}
        selected=${form.area === area.code}>${nameOf(area)}</option>`)}</select></label>
    <label class="check"><input type="checkbox" checked=${form.compare} onChange=${({ target }) => set({ ...form, compare: target.checked })} />
      ${t('figures.compare')}</label></form>`;
}

function Export({ days }) {
  const file = (format) => `/api/report${query({ ...days, format, language: language.value })}`;
  return html`<span class="actions exports"><a class="button" href=${file('xlsx')} download>${t('figures.xlsx')}</a>
    <a class="button" href=${file('csv')} download>${t('figures.csv')}</a>
    <button onClick=${() => print()}>${t('figures.print')}</button></span>`;
}

function Figures({ catalog }) {
  const [form, set] = useState({ month: before(catalog.today), area: '', compare: true });
  const days = { month: form.month, area: form.area };
  const asked = { ...days, compare: form.compare ? 'previous' : '' };
  const measures = useMemo(() => catalog.measures.filter(({ on_demand }) => !on_demand), [catalog]);
  const list = catalog.measures.find(({ name }) => name === 'list');
  const [told, again] = useFigures(measures, asked);
  const areas = dictionary.value?.areas ?? [];
  const area = nameOf(areas.find(({ code }) => code === form.area)) || t('figures.all_areas');
  const tickets = told.tickets?.rows?.reduce((sum, row) => sum + row.tickets, 0);
  const done = Object.keys(told).length;
  const open = (measure) => list && ((row, column) => openDialog(TicketsDialog, { list, days, asked: ticketsOf(measure, row, column),
    title: [measure.title, ...labelsOf(measure).map((one) => valueText(one, row[one.name])), column.title].filter(Boolean).join(' · ') }));
  return html`<header><h1>${t('figures.title', { month: form.month })}</h1><${Export} days=${asked} /></header>
    <${Picker} form=${form} set=${set} areas=${areas} />
    <dl class="about"><div><dt>${t('figures.area')}</dt><dd>${session.value?.user.district} · ${area}</dd></div>
      <div><dt>${t('figures.window')}</dt><dd>${told.answer ? `[${told.answer.from} 00:00, ${told.answer.until} 00:00) ${catalog.zone}` : '–'}</dd></div>
      <div><dt>${t('figures.tickets')}</dt><dd id="tickets">${tickets ?? '–'}</dd></div>
      <div><dt>${t('figures.definitions')}</dt><dd>${catalog.definitions}</dd></div></dl>
    <p class="hidden" role="status">${done < measures.length ? t('figures.reading', { done, of: measures.length }) : t('figures.ready')}</p>
    ${told.answer?.previous?.length > 0 && html`<p class="hint">${t('figures.before_hint', { month: told.answer.previous_from.slice(0, 7) })}</p>`}
    <nav class="contents" aria-label=${t('figures.contents')}>${measures.map(({ name, title }) => html`<button key=${name} class="small quiet"
      onClick=${() => document.getElementById(`measure-${name}`).scrollIntoView()}>${title}</button>`)}</nav>
    <div class=${done < measures.length ? 'measures reading' : 'measures ready'}>
      ${measures.map((measure) => html`<${Measure} key=${measure.name} measure=${measure} told=${told[measure.name]}
        open=${open(measure)} openTicket=${openTicket} again=${again} />`)}</div>`;
}

export function Page() {
  const load = useLoad(`/api/measures?language=${language.value}`);
  return html`<div class="page figures-page"><${Loaded} load=${load} what=${t('page.figures')}>${(catalog) => html`
    <${Figures} catalog=${catalog} />`}</${Loaded}></div>`;
}
