// Where the result is sent, and the standby card's options.

import { command, get } from './api.js';
import { createChoices } from './choices.js';
import { h } from './dom.js';
import { optionForms } from './options.js';
import { subscribe } from './store.js';
import { openTab } from './tabs.js';
import { texts } from './texts.js';

export function createOutputs() {
  const outputs = createChoices({
    several: true,
    words: texts.output,
    load: () => get('/api/outputs'),
    items: (all) => all.map(({ spec, name, active, fault }) =>
      ({ value: spec, title: name, about: spec === name ? '' : spec, fault, checked: active })),
    change: (spec, on, all) =>
      command('output', all.filter((output) => (output.spec === spec ? on : output.active)).map((output) => output.spec)),
    empty: { text: texts.tabs.doctor, run: () => openTab('doctor') },
  });
  const used = ({ status }) => JSON.stringify([status?.outputs, status?.options?.output]);
  subscribe((state, before) => used(state) !== used(before) && outputs.load());
  const element = h('div', {}, h('h2', { text: texts.output.title }), outputs.element, optionForms('output', { untitled: ['Output'] }));
  return { element, shown: outputs.load };
}
