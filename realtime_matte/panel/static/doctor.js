// The doctor's findings as cards. Commands are copied, never run from here.

import { get } from './api.js';
import { announce, failed, h, icon, placeholder, roundButton, toast, whileBusy } from './dom.js';
import { texts } from './texts.js';

const ICONS = { ok: 'check', note: 'info', warning: 'warning', error: 'warning' };
const ORDER = ['error', 'warning', 'note', 'ok'];

const cards = h('div', { class: 'cards' });
let loaded = false;

export function createDoctor() {
  const again = roundButton('refresh', texts.doctor.again, () => whileBusy(again, load));
  const element = h('div', {}, h('div', { class: 'row between' }, h('h2', { text: texts.doctor.title }), again),
    h('p', { class: 'help', text: texts.doctor.intro }), cards);
  return { element, shown: () => loaded || load() };
}

async function load() {
  cards.setAttribute('aria-busy', 'true');
  cards.replaceChildren(placeholder('loading', texts.doctor.checking));
  try {
    const findings = await get('/api/doctor');
    loaded = true;
    const sorted = [...findings].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
    cards.replaceChildren(...sorted.map(makeCard));
    if (findings.every(({ state }) => state === 'ok')) announce(texts.doctor.allGood);
  } catch (error) {
    cards.replaceChildren(failed(error, load));
  } finally {
    cards.removeAttribute('aria-busy');
  }
}

function makeCard({ title, state, message, why, hint, fixes }) {
  return h('article', { class: `card ${state}` },
    h('div', { class: 'row' }, icon(ICONS[state]), h('h3', { text: title }), h('span', { text: texts.doctor.states[state] })),
    h('p', { text: message }), why && h('p', { class: 'quiet', text: why }), hint && h('p', { text: hint }),
    fixes.map(makeCommand));
}

function makeCommand(command) {
  const code = h('code', { text: command, tabindex: '0' });
  const copy = roundButton('copy', texts.doctor.copyLabel(command), async () => {
    try {
      await navigator.clipboard.writeText(command);
      toast(texts.doctor.copied);
    } catch { // no permission: selected, to be copied by hand
      getSelection().selectAllChildren(code);
    }
  });
  return h('div', { class: 'command' }, code, copy);
}
