/* What is heard: a pattern of tones per priority that repeats until the ticket is claimed, a falling pair when the
 * page is stale, one knock for what is new and not urgent. One tab of the browser sounds. A browser lets a page
 * sound only after its user has touched it, so whoever is silenced is told. */
import { signal, computed, effect } from '@preact/signals';
import { remembered } from './remember.js';
import { waiting, myShift, isUnclaimed, isLoud } from './store.js';
import { isStale, on } from './live.js';
import { session } from './api.js';

/* [frequency in Hz, begin in s, length in s]. High: three and two, twice; medium: three; low: one. */
const burst = (pitch, at) => [[pitch, at, 0.13], [pitch, at + 0.2, 0.13], [pitch, at + 0.4, 0.13],
  [pitch * 1.26, at + 0.75, 0.13], [pitch * 1.26, at + 0.95, 0.13]];
const PATTERNS = {
  1: [...burst(784, 0), ...burst(784, 1.5)],
  2: [[587, 0, 0.2], [587, 0.35, 0.2], [587, 0.7, 0.2]],
  3: [[440, 0, 0.25]],
  stale: [[392, 0, 0.35], [294, 0.4, 0.6]],
  test: [[523, 0, 0.12], [659, 0.15, 0.2]],
};
const REPEAT_MS = { 1: 4500, 2: 8000, 3: 15000, stale: 10000 };
const LOUD = 0.6;
const LOUDER = 1;

export const volume = remembered('volume', 0.8);
/* Whether this tab may sound; whether a tab of this browser holds the lock that sounds. */
const isArmed = signal(false);
const isHeardElsewhere = signal(false);
export const isSilent = computed(() => !isArmed.value && !isHeardElsewhere.value);
/* How many tones have begun, for tests and for whoever wonders whether it works. */
export const tones = { count: 0, last: null };

let context = null;
let isSpeaker = false;
let lockAsked = false;
let timer = null;
let ringing = null;

function play(pattern, gain = LOUD) {
  if (!isSpeaker || context?.state !== 'running') return;
  tones.last = pattern;
  for (const [pitch, begin, length] of PATTERNS[pattern]) {
    const at = context.currentTime + begin;
    const tone = context.createOscillator();
    const level = context.createGain();
    tone.type = pattern === 1 ? 'triangle' : 'sine';
    tone.frequency.value = pitch;
    level.gain.setValueAtTime(0, at);
    level.gain.linearRampToValueAtTime(gain * volume.value, at + 0.015);
    level.gain.setValueAtTime(gain * volume.value, at + length - 0.03);
    level.gain.linearRampToValueAtTime(0, at + length);
    tone.connect(level).connect(context.destination);
    tone.start(at);
    tone.stop(at + length);
    tones.count++;
  }
}

/* Asks to be the one tab that sounds; the browser passes it on when that tab goes. */
function askToSpeak() {
  if (lockAsked) return;
  lockAsked = true;
  navigator.locks.request('onekey.sound', () => new Promise(() => {
    isSpeaker = true;
    ring();
  }));
}

async function lookForSpeaker() {
  const { held } = await navigator.locks.query();
  isHeardElsewhere.value = held.some(({ name }) => name === 'onekey.sound');
}

/* Call it from a click or key: only then may a page begin to sound. */
export async function arm() {
  context ??= new AudioContext();
  context.onstatechange = () => { isArmed.value = context.state === 'running'; };
  await context.resume().catch(() => {});
  isArmed.value = context.state === 'running';
  if (isArmed.value) askToSpeak();
}

export const testSound = () => arm().then(() => play('test'));

/* What is to be heard now: the most urgent that waits. */
const wanted = computed(() => {
  if (!session.value) return null;
  const works = ['operator', 'supervisor'].includes(session.value.user.role) && myShift.value && !myShift.value.paused_at;
  const first = works ? waiting.value.filter(({ priority }) => priority <= 3)
    .sort((a, b) => a.priority - b.priority || isLoud(b) - isLoud(a))[0] : null;
  if (first) return { pattern: first.priority, gain: isLoud(first) ? LOUDER : LOUD };
  return isStale.value ? { pattern: 'stale', gain: LOUD } : null;
});

/* Begins what is wanted and repeats it; twice as often when it is to be louder. */
function ring() {
  clearTimeout(timer);
  const { pattern, gain } = wanted.value ?? {};
  if (!pattern) { ringing = null; return; }
  play(pattern, gain);
  ringing = pattern;
  timer = setTimeout(ring, REPEAT_MS[pattern] / (gain === LOUDER ? 2 : 1));
}

export function startSound() {
  const touch = () => { if (!isArmed.value) arm(); };
  addEventListener('pointerdown', touch, true);
  addEventListener('keydown', touch, true);
  effect(() => {
    const { pattern } = wanted.value ?? {};
    if (pattern !== ringing) ring();
  });
  on('ticket', rungAgain);
  lookForSpeaker();
  setInterval(lookForSpeaker, 3000);
}

/* A further press is heard at once, also by the owner of the ticket, and a new ticket although another rings. */
function rungAgain(ticket) {
  const isMore = ticket.changes.some(({ kind }) => kind === 'pressed_again' || kind === 'raised' || kind === 'hold_ended');
  const isMine = ticket.claimed_by === session.value?.user.name;
  if (isMore && ticket.priority <= 3 && (isMine || isUnclaimed(ticket))) play(ticket.priority);
}
