/* What a device or a file may say to break out of its place: it must be shown as the text it is. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const attack = (where) => `<img src=x onerror="globalThis.hacked='${where}'">`;

export const HOSTILE = {
  household: 'H00002', // whose fields are spoilt
  resident: attack('resident'), address: attack('address'), conditions: attack('conditions'), notes: attack('notes'),
  contact: attack('contact'), area: attack('area'), network: attack('network'), code: attack('code'),
  identity: attack('identity'), note: attack('note'),
};

const cell = (text) => `"${text.replaceAll('"', '""')}"`;

/* Rewrites lines of a CSV file: change(fields, index of the line). Its cells hold no comma. */
function rewrite(folder, name, change) {
  const path = join(folder, `${name}.csv`);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  writeFileSync(path, `${lines.map((line) => change(line.split(','), line).join(',')).join('\n')}\n`);
}

export function spoil(folder) {
  rewrite(folder, 'households', (fields) => (fields[0] === HOSTILE.household
    ? fields.toSpliced(2, 2, cell(HOSTILE.address), cell(HOSTILE.resident)).toSpliced(7, 2, cell(HOSTILE.conditions), cell(HOSTILE.notes))
    : fields));
  rewrite(folder, 'contacts', (fields) => (fields[0] === HOSTILE.household ? fields.with(3, cell(HOSTILE.contact)) : fields));
  rewrite(folder, 'areas', (fields) => (fields[0] === '990100003001' ? fields.with(3, cell(HOSTILE.area)) : fields));
}
