// Presets, what holds at every start, appearance, and the end of the run.

import { command, get, post, send } from './api.js';
import { errorLine, failed, h, placeholder, roundButton, textButton, toast, toastError, uniqueId, whileBusy } from './dom.js';
import { makeField } from './forms.js';
import { subscribe } from './store.js';
import { texts } from './texts.js';

const list = h('ul', { class: 'list' });
const pick = h('select', { class: 'pick', 'aria-label': texts.settings.pick, hidden: true });

export function createSettings() {
  list.append(h('li', {}, placeholder('loading', texts.settings.presets)));
  const version = h('p', { class: 'help' });
  subscribe((state) => { version.textContent = state.version ? texts.settings.version(state.version) : ''; });
  const element = h('div', {},
    h('h2', { text: texts.settings.title }),
    h('h3', { text: texts.settings.presets }), h('p', { class: 'help', text: texts.settings.presetsHint }), saveForm(), list,
    h('h3', { text: texts.settings.defaults }), autostart(), saveDefault(),
    h('h3', { text: texts.settings.run }), quit(), version);
  return { element, shown: loadPresets };
}

const pathOf = (name) => `/api/presets/${encodeURIComponent(name)}`;

async function loadPresets() {
  try {
    const presets = await get('/api/presets');
    list.replaceChildren(...(presets.length ? presets.map(presetRow) : [h('li', {}, placeholder('empty', texts.settings.noPresets))]));
    fillPick(presets);
  } catch (error) {
    list.replaceChildren(h('li', {}, failed(error, loadPresets)));
  }
}

function presetRow({ name }) {
  const use = textButton(texts.settings.apply, () => whileBusy(use, () => apply(name)));
  use.setAttribute('aria-label', texts.settings.applyLabel(name));
  const remove = roundButton('trash', texts.settings.remove(name), () => whileBusy(remove, async () => {
    await done(send('DELETE', pathOf(name)), texts.settings.removed(name));
    await loadPresets();
  }));
  return h('li', { class: 'row between' }, h('span', { class: 'title', text: name }), h('span', { class: 'row' }, use, remove));
}

const apply = (name) => done(post(`${pathOf(name)}/apply`), texts.settings.applied(name));

async function done(work, message) {
  try {
    await work;
    toast(message);
  } catch (error) {
    toastError(error);
  }
}

function saveForm() {
  const id = uniqueId('preset');
  const input = h('input', { type: 'text', id, placeholder: texts.settings.presetPlaceholder, autocomplete: 'off', maxlength: '60', required: true });
  const error = errorLine(input);
  input.setAttribute('aria-describedby', error.element.id);
  const button = h('button', { type: 'submit', class: 'button primary', text: texts.settings.save });
  const form = h('form', { class: 'row save' }, h('label', { for: id, class: 'hidden', text: texts.settings.presetName }), input, button);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    whileBusy(button, () => save(input, error));
  });
  return h('div', {}, form, error.element);
}

async function save(input, error) {
  const name = input.value.trim();
  error.show(null);
  try {
    await send('PUT', pathOf(name), {});
    input.value = '';
    toast(texts.settings.saved(name));
    await loadPresets();
  } catch (problem) {
    error.show(problem);
  }
}

/** The choice of presets in the top bar; hidden while there are none. */
export function presetPick() {
  pick.addEventListener('change', async () => {
    if (pick.value) await apply(pick.value);
    pick.value = '';
  });
  subscribe((state, before) => {
    if (state.connection === 'open' && (before.connection !== 'open' || before === state)) loadPick();
  });
  return pick;
}

const loadPick = () => get('/api/presets').then(fillPick, () => {});

function fillPick(presets) {
  pick.hidden = !presets.length;
  pick.replaceChildren(h('option', { value: '', text: texts.settings.pick }), ...presets.map(({ name }) => h('option', { value: name, text: name })));
}

function saveDefault() {
  const button = textButton(texts.settings.saveDefault, () =>
    whileBusy(button, () => done(post('/api/save-default'), texts.settings.savedDefault)));
  return h('div', { class: 'field' }, button, h('p', { class: 'help', text: texts.settings.saveDefaultHint }));
}

function autostart() {
  const place = h('div');
  const fill = ({ enabled, supported, message }) => {
    const option = { name: 'autostart', label: texts.settings.autostart, help: message, kind: 'switch', value: enabled };
    place.replaceChildren(makeField(option, async (value) => fill(await post('/api/autostart', { enabled: value }))).element);
    place.querySelector('input').disabled = !supported;
  };
  get('/api/autostart').then(fill, () => {});
  return place;
}

/** Asks once before it ends the run. */
function quit() {
  let asked = false;
  const ask = (asking) => {
    asked = asking;
    button.textContent = asked ? texts.settings.quitAsk : texts.settings.quit;
  };
  const button = textButton(texts.settings.quit, () => (asked ? command('quit').catch(() => {}) : ask(true)), 'danger');
  button.addEventListener('blur', () => ask(false));
  return h('div', { class: 'field' }, button, h('p', { class: 'help', text: texts.settings.quitHint }));
}
