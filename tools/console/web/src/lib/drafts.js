/* Texts that are being written, per person and ticket: they outlive a reload and a lost session. */
import { recall, remember } from './remember.js';
import { session } from './api.js';

const name = (what) => `draft.${session.value?.user.name}.${what}`;
export const draft = (what) => recall(name(what), '');
export const keepDraft = (what, text) => remember(name(what), text);
