/* The queue: lanes with counts, and the rows of one of them, of which only those in sight are drawn. While someone
 * points at a row or moves among them by key, rows keep their places; what is new waits above, counted. */
import { signal, effect } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { html } from '../lib/html.js';
import { t } from '../lib/i18n.js';
import { useKeys } from '../lib/keys.js';
import { LANES, changes, count, hasMore, lane, readAll, readMore, row, summary, unstored } from '../lib/store.js';
import { isStale } from '../lib/live.js';
import { clock, now } from '../lib/time.js';
import { Empty, Failed, Loading } from '../ui/states.js';
import { claim, inHand } from './act.js';
import { QueueRow, ROW_HEIGHT } from './row.js';
import { UnstoredRows } from './unstored.js';

const KEEP_STILL_MS = 8000; // after the last move of pointer or key among the rows
const SPARE_ROWS = 6; // drawn above and below what is in sight

const shownLane = signal('alarms');
const order = signal([]); // as drawn
const waitingRows = signal(0); // new ones that are not drawn yet
let stillUntil = 0;
let timer = null;

const isStill = () => Date.now() < stillUntil;

function follow() {
  const ids = lane(shownLane.value).ids.value;
  changes.value;
  if (!isStill()) {
    order.value = ids;
    waitingRows.value = 0;
    return;
  }
  const drawn = new Set(order.peek());
  waitingRows.value = ids.filter((id) => !drawn.has(id)).length;
}

function keepStill() {
  stillUntil = Date.now() + KEEP_STILL_MS;
  clearTimeout(timer);
  timer = setTimeout(letGo, KEEP_STILL_MS + 50);
}

function letGo() {
  clearTimeout(timer);
  stillUntil = 0;
  follow();
}

effect(follow);

const emptySince = new Map();
effect(() => {
  for (const name of LANES) {
    if (lane(name).ids.value.length > 0) emptySince.delete(name);
    else if (lane(name).state.value === 'ready' && !emptySince.has(name)) emptySince.set(name, now.peek());
  }
});

function show(name) {
  stillUntil = 0;
  shownLane.value = name;
}

function LaneTabs() {
  return html`<div class="lanes" role="tablist" aria-label=${t('queue.lanes')}>
    ${LANES.map((name, index) => {
      const unowned = summary.value?.lanes[name]?.unowned ?? 0;
      return html`<button role="tab" key=${name} id="lane-${name}" aria-selected=${shownLane.value === name}
          aria-controls="queue" tabIndex=${shownLane.value === name ? 0 : -1} onClick=${() => show(name)}
          onKeyDown=${(event) => turn(event, index)}>
        ${t(`lane.${name}`)}<b class=${unowned > 0 && name !== 'held' && name !== 'care' ? 'open' : ''}>${count(name)}</b>
      </button>`;
    })}</div>`;
}

function turn(event, index) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const name = LANES[(index + step + LANES.length) % LANES.length];
  show(name);
  document.getElementById(`lane-${name}`).focus();
}

/* Where the cursor of the keys is: the focused row, else the ticket in hand. */
function cursorIndex() {
  const focused = Number(document.activeElement?.dataset?.ticket);
  return order.peek().indexOf(focused || inHand.peek().id);
}

export function Queue() {
  const list = useRef();
  const [view, setView] = useState({ top: 0, height: 600 });
  const ids = order.value;
  const { state } = lane(shownLane.value);
  const first = Math.max(0, Math.floor(view.top / ROW_HEIGHT) - SPARE_ROWS);
  const last = Math.min(ids.length, Math.ceil((view.top + view.height) / ROW_HEIGHT) + SPARE_ROWS);
  const measure = () => list.current && setView({ top: list.current.scrollTop, height: list.current.clientHeight });
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    observer.observe(list.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => { list.current.scrollTop = 0; }, [shownLane.value]);
  useEffect(() => { if (last >= ids.length - SPARE_ROWS) readMore(shownLane.value); }, [last, ids.length, state.value]);

  const move = (step) => {
    if (ids.length === 0) return;
    keepStill();
    const index = Math.min(Math.max(cursorIndex() + step, 0), ids.length - 1);
    const top = index * ROW_HEIGHT;
    if (top < list.current.scrollTop) list.current.scrollTop = top;
    else if (top + ROW_HEIGHT > list.current.scrollTop + list.current.clientHeight)
      list.current.scrollTop = top + ROW_HEIGHT - list.current.clientHeight;
    measure();
    requestAnimationFrame(() => list.current?.querySelector(`[data-ticket="${ids[index]}"]`)?.focus());
  };
  const focused = () => Number(document.activeElement?.dataset?.ticket) || null;
  useKeys({
    j: () => move(1), k: () => move(-1),
    ArrowDown: (event) => (list.current.contains(event.target) ? move(1) : false),
    ArrowUp: (event) => (list.current.contains(event.target) ? move(-1) : false),
    c: () => {
      const isFree = (id) => id && !row(id)?.value.claimed_by;
      const target = [focused(), inHand.value.id].find(isFree) ?? ids.find(isFree);
      if (target) claim(target);
    },
    '[': () => step(-1), ']': () => step(1),
  });
  return html`<section class="queue" aria-label=${t('queue.title')}>
    <${LaneTabs} />
    <div class="strip" aria-live="polite">
      ${waitingRows.value > 0
        ? html`<button class="news" onClick=${() => { letGo(); list.current.scrollTop = 0; }}>
            ${t('queue.news', { count: waitingRows.value })}</button>`
        : html`<span>${t('queue.order')}</span>`}
      <span class="total">${t('queue.total', { count: count(shownLane.value) })}</span>
    </div>
    <div class="rows ${isStale.value ? 'stale' : ''}" id="queue" role="tabpanel" tabIndex="-1" ref=${list}
        aria-labelledby="lane-${shownLane.value}" onScroll=${measure}
        onPointerMove=${keepStill} onPointerLeave=${letGo}>
      ${shownLane.value === 'alarms' && unstored.value.length > 0 && html`<${UnstoredRows} />`}
      ${ids.length === 0 ? html`<${NoRows} state=${state.value} />` : html`
        <ul style=${{ height: `${ids.length * ROW_HEIGHT}px` }}>
          ${ids.slice(first, last).map((id, index) => html`<${QueueRow} key=${id} id=${id} top=${(first + index) * ROW_HEIGHT}
            isOpen=${inHand.value.id === id} isFirst=${first + index === 0} />`)}
        </ul>
        ${hasMore(shownLane.value) && html`<p class="more">${t('queue.more')}</p>`}`}
    </div></section>`;
}

function step(by) {
  show(LANES[(LANES.indexOf(shownLane.value) + by + LANES.length) % LANES.length]);
}

function NoRows({ state }) {
  const name = shownLane.value;
  if (unstored.value.length > 0 && name === 'alarms') return null;
  if (state === 'failed') return html`<${Failed} again=${readAll} />`;
  if (state !== 'ready') return html`<${Loading} what=${t('queue.title')} />`;
  return html`<${Empty} title=${t(`queue.empty.${name}`)}>
    <p>${t('queue.empty_since', { time: clock(emptySince.get(name) ?? now.value) })}</p></${Empty}>`;
}
