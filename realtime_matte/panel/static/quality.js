// The network: choice, what it costs, and its other options.

import { command, get } from './api.js';
import { createChart } from './chart.js';
import { createChoices } from './choices.js';
import { h, textButton, toast, toastError, whileBusy } from './dom.js';
import { optionForms } from './options.js';
import { canChange, optionValue, subscribe } from './store.js';
import { texts } from './texts.js';

const NORMAL = '?quality=normal';
const facts = h('dl', { class: 'facts-list' });
const noTimes = h('p', { class: 'help', text: texts.quality.noStages });
const chart = createChart();
subscribe(({ status }) => showTimes(status)); // from the start, so that the chart is full when it is opened

const choices = createChoices({
  name: 'model',
  words: texts.quality,
  load: () => get('/api/models'),
  items: listModels,
  change: (name) => command('model', name),
});

const COUNTDOWN_S = 5; // as in pipeline/calibration.py
const calibrate = textButton(texts.quality.calibrate, learnRoom);
calibrate.id = 'calibrate';

/** Counts down on the button; the answer comes when the room is known, or says why it is not. */
async function learnRoom() {
  await whileBusy(calibrate, async () => {
    let left = COUNTDOWN_S;
    const count = () => { calibrate.textContent = left > 0 ? texts.quality.stepOut(left) : texts.quality.stayOut; left -= 1; };
    count();
    const timer = setInterval(count, 1000);
    try {
      await command('calibrate');
      toast(texts.quality.calibrated);
    } catch (error) {
      toastError(error);
    } finally {
      clearInterval(timer);
      calibrate.textContent = texts.quality.calibrate;
    }
  });
}

export function createQuality() {
  const element = h('div', {}, h('h2', { text: texts.quality.title }),
    h('h3', { text: texts.quality.stages }), chart.element, noTimes, facts,
    h('h3', { text: texts.quality.label }), choices.element, optionForms('quality', { untitled: ['Model'] }),
    h('h3', { text: texts.quality.room }), h('p', { class: 'help', text: texts.quality.roomHelp }), calibrate);
  subscribe((state) => {
    choices.show();
    showFacts(state.status);
    calibrate.disabled = !canChange(state) || !state.status;
  });
  return { element, shown: choices.load };
}

/** `auto`, the catalog, and the network in use where it is none of them. */
function listModels(models) {
  const chosen = optionValue('model');
  const known = Object.fromEntries(models.map((model) => [model.name, model]));
  const names = new Set(['auto', ...Object.keys(known), chosen ?? 'auto']); // `?quality=normal` is the plain name
  if (!chosen?.endsWith(NORMAL)) models.forEach(({ name }) => name.endsWith(NORMAL) && names.delete(name));
  return [...names].map((name) => ({
    value: name, title: name.replace('?quality=', ' · '), about: known[name]?.about, note: known[name]?.ms && texts.quality.msOf(known[name].ms), checked: name === chosen,
  }));
}

function showFacts(status) {
  const rows = status ? {
    model: status.model,
    provider: status.provider,
    grid: status.grid ? texts.quality.gridOf(...status.grid) : '',
    cpu: texts.quality.cpuOf(Math.round(status.cpu * 100)),
    age: status.age_p95_s ? texts.quality.msOf(Math.round(status.age_p95_s * 1000)) : '',
    dropped: String(status.dropped),
  } : {};
  facts.replaceChildren(...Object.entries(rows).filter(([, value]) => value)
    .map(([name, value]) => h('div', {}, h('dt', { text: texts.quality.facts[name] }), h('dd', { text: value }))));
}

function showTimes(status) {
  const known = Boolean(status && Object.keys(status.stages_s).length);
  if (known) chart.add(status.stages_s, status.camera_fps ? 1 / status.camera_fps : 0);
  chart.element.hidden = !known;
  noTimes.hidden = known;
}
