// The line under the preview: state, rate, delay, who watches, notes. Changes of the state are announced.

import { announce, h, icon, roundButton } from './dom.js';
import { situation, subscribe } from './store.js';
import { texts } from './texts.js';

const reason = h('span', { class: 'reason' });
const fps = h('span', { class: 'figure' });
const age = h('span', { class: 'figure' });
const readers = h('span', { class: 'readers' });
const onDemand = h('span', { class: 'readers on-demand' }, icon('info'), texts.preview.onDemand);
const notes = h('button', { class: 'notes', popovertarget: 'notes', hidden: true }, icon('info'), h('span'));
const list = h('ul');
const popover = h(
  'div',
  { id: 'notes', popover: 'auto', class: 'popover', 'aria-label': texts.facts.notesTitle, role: 'dialog' },
  h('div', { class: 'row between' },
    h('h2', { text: texts.facts.notesTitle }),
    roundButton('close', texts.facts.close, () => popover.hidePopover())),
  list,
);

let announced = '';
let shownNotes = '';

export function fillFacts(element) {
  element.append(reason, fps, age, readers, onDemand, notes, popover);
  subscribe(show);
}

function show(state) {
  const now = situation(state);
  const { status, fault, connection } = state;
  const running = connection === 'open' && status;
  const why = running ? status.reason : fault && connection === 'open' ? fault.message : '';
  reason.textContent = why;
  reason.title = why;
  fps.textContent = running && status.fps ? texts.facts.fps(Math.round(status.fps)) : '';
  age.textContent = running && status.age_p50_s ? texts.facts.age(Math.round(status.age_p50_s * 1000)) : '';
  readers.textContent = running ? watchers(status) : '';
  readers.title = running ? status.readers.join(', ') : '';
  onDemand.hidden = !(running && status.options.on_demand);
  notes.classList.toggle('bad', Boolean(running && status.outputs.some(({ fault: bad }) => bad)));
  showNotes(running ? notesOf(status) : []);
  say(texts.facts.announce(texts.states[now] ?? now, why));
}

/** "Zoom, Firefox": the programs' names without their numbers, each once. */
function watchers({ readers: programs, outputs }) {
  const names = [...new Set(programs.map((program) => program.replace(/\s*\(pid \d+\)$/, '')))];
  const isCamera = outputs.some(({ name }) => /^(virtualcam|pipewire)/.test(name));
  return names.length ? texts.facts.watched(names.join(', ')) : isCamera ? texts.facts.unwatched : '';
}

/** Everything a user should know of: [message, hint]. */
function notesOf(status) {
  const faults = status.outputs.filter((output) => output.fault).map((output) => [`${output.name}: ${output.fault}`, '']);
  const warnings = (status.warnings ?? status.messages).map((note) =>
    typeof note === 'string' ? [note, ''] : [note.message, note.hint],
  );
  const extra = status.size_note ? [[status.size_note, '']] : [];
  return [...faults, ...extra, ...warnings.reverse()];
}

function showNotes(all) {
  const key = JSON.stringify(all);
  if (key === shownNotes) return;
  shownNotes = key;
  notes.hidden = !all.length;
  notes.lastChild.textContent = texts.facts.notes(all.length);
  if (!all.length && popover.matches(':popover-open')) popover.hidePopover();
  list.replaceChildren(...all.map(([message, hint]) =>
    h('li', {}, h('p', { text: message }), hint && h('p', { class: 'quiet', text: hint }))));
}

function say(text) {
  if (text === announced) return;
  announced = text;
  announce(text);
}
