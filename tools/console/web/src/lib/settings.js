/* What a person sets for this browser. */
import { remembered } from './remember.js';

export const THEMES = ['system', 'light', 'dark'];
export const theme = remembered('theme', 'system');
