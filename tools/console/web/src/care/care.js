/* The care round: one person after the other, one key for what came of it, and the next is there. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { get, query, send } from '../lib/api.js';
import { language, nameOf, t, word } from '../lib/i18n.js';
import { useKeys } from '../lib/keys.js';
import { dictionary, may } from '../lib/store.js';
import { moment, now, roughly } from '../lib/time.js';
import { Dialog, closeDialog, openDialog } from '../ui/dialog.js';
import { Phone } from '../ui/phone.js';
import { Empty, Failed, Loading } from '../ui/states.js';
import { toast } from '../ui/toast.js';
import { useSend } from '../ui/do.js';
import { openTicket } from '../operator/act.js';
import { go } from '../lib/route.js';
import '../figures/style.js';

const AGAIN_S = 20; // others work through the same list
const SHOWN = 50;
const ALARMS = 'needs_help'; // raises an alarm: its key is asked for twice

function WeatherDialog({ done }) {
  const [isBusy, run] = useSend();
  const [area, setArea] = useState('');
  const submit = async () => { if (await run('POST', '/api/care/weather', { area: area || null })) { done(); closeDialog(); } };
  return html`<${Dialog} title=${t('care.weather')} submit=${submit} submitText=${t('care.weather_do')} isBusy=${isBusy}>
    <p class="hint">${t('care.weather_hint')}</p>
    <label class="field">${t('figures.area')}<select value=${area} onChange=${({ target }) => setArea(target.value)}>
      <option value="">${t('figures.all_areas')}</option>${(dictionary.value?.areas ?? []).filter(({ level }) => level !== 'district')
        .map((one) => html`<option key=${one.code} value=${one.code}>${nameOf(one)}</option>`)}</select></label></${Dialog}>`;
}

/* The list, read anew now and then; `skip` leaves out what was answered here since. */
function useRound() {
  const [state, setState] = useState({ value: null, error: null });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isWanted = true;
    get(`/api/care/due${query({ limit: SHOWN })}`).then((value) => isWanted && setState({ value, error: null }),
      (error) => isWanted && setState((old) => ({ ...old, error })));
    const timer = setTimeout(() => setRound((n) => n + 1), AGAIN_S * 1000);
    return () => { isWanted = false; clearTimeout(timer); };
  }, [round]);
  return { ...state, again: () => setRound((n) => n + 1), setState };
}

function Counters({ counts }) {
  const figures = [['due', counts.due], ['over_24h', counts.over_24h], ['tried', counts.tried], ['done_today', counts.done_today]];
  return html`<ul class="counters">${figures.map(([name, n]) => html`<li key=${name} data-count=${name}
    class=${name === 'over_24h' && n > 0 ? 'late' : ''}><b>${n}</b> ${t(`care.count.${name}`)}</li>`)}</ul>`;
}

function Person({ plan, tasks, results, result, choose, note, setNote, isBusy }) {
  const task = tasks.find(({ name }) => name === plan.task);
  const was = results.find(({ name }) => name === plan.last_result);
  return html`<article class="care-card" aria-labelledby="care-name" data-plan=${plan.plan_id}>
    <p class="task"><span class="chip">${nameOf(task)}</span> ${plan.is_visit && html`<span class="chip">${t('care.visit')}</span>`}
      <span class="left ${plan.overdue_s > 86400 ? 'late' : 'near'}">${t('care.overdue', { time: roughly((now.value - Date.parse(plan.due_at)) / 1000) })}</span>
      ${plan.attempts > 0 && html`<span class="left">${t('care.attempts', { n: plan.attempts })}</span>`}</p>
    <h2 id="care-name">${plan.resident} ${plan.age && html`<small>${t('home.age', { years: plan.age })}</small>`}</h2>
    <p><${Phone} number=${plan.phone} large /></p>
    <p>${plan.address} <small>${plan.area}</small> <button class="link" onClick=${() => go('homes', plan.household_id)}>${t('care.home')}</button></p>
    <p class="hint">${plan.last_done_at ? t('care.last', { at: moment(plan.last_done_at) }) : t('care.never')}
      ${was && !was.is_done ? ` · ${nameOf(was)}` : ''}</p>
    <label class="field">${t('care.note')} <input value=${note} maxLength="4000" id="care-note"
      onInput=${({ target }) => setNote(target.value)} onKeyDown=${(event) => event.key === 'Escape' && event.target.blur()} /></label>
    <div class="outcomes" role="group" aria-label=${t('care.outcome')}>${results.map((one) => html`<button key=${one.name} disabled=${isBusy}
      class=${one.name === ALARMS ? 'danger' : one.key === '1' ? 'primary' : ''} onClick=${() => choose(one)}>
      ${one.name === ALARMS && result === ALARMS ? t('care.really') : nameOf(one)} <kbd>${one.key}</kbd></button>`)}</div></article>`;
}

export function Page() {
  const { value, error, again, setState } = useRound();
  const [at, setAt] = useState(0);
  const [note, setNote] = useState('');
  const [asked, setAsked] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const chosen = useRef(null);
  const rows = value?.rows ?? [];
  const kept = rows.findIndex(({ plan_id }) => plan_id === chosen.current);
  const index = kept >= 0 ? kept : Math.min(at, rows.length - 1);
  const plan = rows[index];
  const move = (next) => {
    const place = Math.max(0, Math.min(rows.length - 1, next));
    chosen.current = rows[place]?.plan_id ?? null;
    setAsked(null);
    setAt(place);
  };
  const choose = async (result) => {
    if (!plan || isBusy) return;
    if (result.name === ALARMS && asked !== ALARMS) { setAsked(ALARMS); return; }
    setBusy(true);
    try {
      const reply = await send('POST', `/api/care/${plan.plan_id}`, { result: result.name, note: note.trim() || null });
      toast(`${plan.resident}：${nameOf(result)}`);
      if (reply.ticket_id && result.name === ALARMS) openTicket(reply.ticket_id);
      setNote('');
      setAsked(null);
      chosen.current = rows[index + 1]?.plan_id ?? null;
      setAt(index);
      setState(({ value: old }) => ({ error: null, value: { ...old, rows: old.rows.filter(({ plan_id }) => plan_id !== plan.plan_id) } }));
      again();
    } catch (problem) {
      toast(word('code', problem.code).replace('{owner}', problem.reply?.owner ?? '–'), 'bad');
      chosen.current = rows[index + 1]?.plan_id ?? null;
      again();
    } finally {
      setBusy(false);
    }
  };
  const results = value?.results ?? [];
  useKeys({ ...Object.fromEntries(results.map((one) => [one.key, () => { choose(one); }])),
    j: () => move(index + 1), k: () => move(index - 1), n: () => document.getElementById('care-note')?.focus() });
  if (!value) return error ? html`<${Failed} error=${error} again=${again} />` : html`<${Loading} what=${t('page.care')} />`;
  return html`<div class="page care-page" lang=${language.value === 'zh' ? 'zh-CN' : 'en'}><header><h1>${t('page.care')}</h1><${Counters} counts=${value.counts} />
      ${may('set_care_plan') && html`<button onClick=${() => openDialog(WeatherDialog, { done: again })}>${t('care.weather')}</button>`}</header>
    ${!plan ? html`<${Empty} title=${t('care.empty')}><p>${t('care.empty_then', { n: value.counts.done_today })}</p></${Empty}>`
      : html`<div class="care"><${Person} plan=${plan} tasks=${value.tasks} results=${results} result=${asked} choose=${choose} note=${note}
        setNote=${setNote} isBusy=${isBusy} key=${plan.plan_id} />
      <div class="care-list"><p class="hint">${t('care.keys')}</p><ol>${rows.map((row, i) => html`<li key=${row.plan_id}>
        <button class="quiet" aria-current=${i === index ? 'true' : undefined} onClick=${() => move(i)}>
          <b>${row.resident}</b> <span>${nameOf(value.tasks.find(({ name }) => name === row.task))}</span>
          <span class="left ${row.overdue_s > 86400 ? 'late' : ''}">${roughly(row.overdue_s)}</span></button></li>`)}</ol>
        ${value.next && html`<p class="hint">${t('care.more', { n: value.counts.due - rows.length })}</p>`}</div></div>`}</div>`;
}
