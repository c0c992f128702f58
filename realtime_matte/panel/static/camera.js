// The camera: which one, its size and rate, and what else the server offers for it.

import { command, get } from './api.js';
import { createChoices } from './choices.js';
import { h, roundButton, whileBusy } from './dom.js';
import { makeField } from './forms.js';
import { optionForms } from './options.js';
import { current, optionValue, subscribe } from './store.js';
import { texts } from './texts.js';

const COMMON = ['640x360', '640x480', '1280x720', '1920x1080']; // for sources that list no modes
const COMMON_RATES = [15, 24, 30, 60];

const sizeText = (size) => texts.camera.sizeOf(...size.split('x'));
const rateText = (rate) => texts.camera.rateOf(Math.round(rate * 100) / 100);
const now = h('p', { class: 'help' });
const size = makeSelect('size', texts.camera.size, String, sizeText);
const fps = makeSelect('fps', texts.camera.fps, Number, rateText);

let cameras = [];

const choices = createChoices({
  name: 'camera',
  words: texts.camera,
  load: async () => {
    cameras = await get('/api/cameras');
    showModes();
    return cameras;
  },
  items: listCameras,
  change: (spec) => command('camera', spec),
  empty: { text: texts.camera.refresh, run: () => choices.load() },
});

export function createCamera() {
  const again = roundButton('refresh', texts.camera.refresh, () => whileBusy(again, choices.load));
  const element = h('div', {},
    h('div', { class: 'row between' }, h('h2', { text: texts.camera.title }), again),
    choices.element, h('div', { class: 'pair' }, size.element, fps.element), now, optionForms('camera', { untitled: ['Camera'] }));
  subscribe(({ status }) => {
    now.textContent = status ? texts.camera.now(...status.size, Math.round(status.camera_fps * 10) / 10) : '';
    choices.show();
    showModes();
  });
  return { element, shown: choices.load };
}

/** The camera in use: by its spec, or by its name in what the source reports. */
function currentCamera() {
  const spec = optionValue('camera');
  const reported = current().status?.camera ?? '';
  return cameras.find((camera) => camera.spec === spec) ?? cameras.find((camera) => reported.startsWith(camera.name)) ?? null;
}

/** All cameras, and the source in use where it is none of them: a file, an address. */
function listCameras() {
  const active = currentCamera();
  const spec = optionValue('camera');
  const other = active || !spec || spec === 'camera' ? [] : [{ spec, name: spec, modes: [] }];
  const chosen = active?.spec ?? spec;
  return [...cameras, ...other].map((camera) =>
    ({ value: camera.spec, title: camera.name, about: about(camera), checked: camera.spec === chosen }));
}

function about({ spec, name, modes }) {
  const best = [...modes].sort((a, b) => b.width * b.height - a.width * a.height)[0];
  const upTo = best && texts.camera.upTo(best.width, best.height, Math.max(...best.fps));
  return [spec === name ? '' : spec, upTo].filter(Boolean).join(' · ');
}

function showModes() {
  const modes = currentCamera()?.modes ?? [];
  const wanted = optionValue('size')?.join('x') ?? '';
  size.fill(sizes(modes), wanted);
  fps.fill(rates(modes.filter((mode) => !wanted || asText(mode) === wanted)), optionValue('fps'));
}

function sizes(modes) {
  const found = modes.length ? modes.sort((a, b) => a.width * a.height - b.width * b.height).map(asText) : COMMON;
  return [...new Set(found)].map((size) => [size, sizeText(size)]);
}

function rates(modes) {
  const found = modes.length ? modes.flatMap((mode) => mode.fps) : COMMON_RATES;
  return [...new Set(found)].sort((a, b) => a - b).map((rate) => [String(rate), rateText(rate)]);
}

const asText = ({ width, height }) => `${width}x${height}`;

/** A list of values with the camera's own first. It is made again when the values or the choice change. */
function makeSelect(name, label, typed, shown) {
  const element = h('div');
  let filled = '';
  const fill = (values, value) => {
    const chosen = String(value ?? '');
    const known = !chosen || values.some(([choice]) => choice === chosen);
    const choices = known ? values : [...values, [chosen, shown(chosen)]];
    const content = JSON.stringify([choices, chosen]);
    if (content === filled) return;
    filled = content;
    const option = { name, label, kind: 'choice', choices, default: null, default_text: texts.camera.own, value: chosen };
    const focused = element.contains(document.activeElement);
    element.replaceChildren(makeField(option, (text) => command(name, text && typed(text))).element);
    if (focused) element.querySelector('select').focus();
  };
  return { element, fill };
}
