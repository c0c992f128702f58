// Form fields, made from what the server says about an option. A refused value stays, with the message below it.

import { newestWins } from './api.js';
import { errorLine, h, uniqueId } from './dom.js';
import { texts } from './texts.js';

const SLIDER_STEPS = 400; // a number with more steps than that gets a field to type into

/**
 * A field for one option.
 * `option`: name, label, help, kind, choices (values, or pairs of value and text), range, unit, default, default_text, value.
 * `send(value)`: asks for the change; null is the default. A promise that is rejected with what is wrong.
 * Returns {element, show(value)}: `show` is the server's value; one that the user just edits is left alone.
 */
export function makeField(option, send) {
  const id = uniqueId(option.name);
  const help = option.help && h('p', { class: 'help', id: `${id}-help`, text: sentence(option.help) });
  const { input, read, show, event = 'change', row = [], extra = [] } = makeControl(option, id);
  const error = errorLine(input);
  input.setAttribute('aria-describedby', [help?.id, error.element.id].filter(Boolean).join(' '));
  let edited = false;
  let waiting = 0;
  const change = newestWins(async (value) => {
    waiting += 1;
    const problem = await send(value).then(() => null, (refused) => refused);
    error.show(problem);
    edited = Boolean(problem) && input.type === 'text'; // only what was typed is worth keeping
    waiting -= 1;
  });
  input.addEventListener('input', () => { edited = true; });
  input.addEventListener('blur', () => { edited &&= input.hasAttribute('aria-invalid'); });
  input.addEventListener(event, () => change(read()));
  show(option.value);
  const title = h('label', { for: id, text: option.label });
  const head = row.length ? h('div', { class: 'row between' }, title, row) : title;
  const body = row.includes(input) ? null : h('div', { class: 'row' }, input, extra);
  return {
    element: h('div', { class: 'field', 'data-option': option.name }, head, body, help, error.element),
    show: (value) => edited || waiting || show(value),
  };
}

/** Help texts are written for a list of options, without a capital. */
const sentence = (help) => help.charAt(0).toUpperCase() + help.slice(1);

function makeControl(option, id) {
  if (option.kind === 'switch') return makeSwitch(id);
  if (option.kind === 'choice') return makeChoice(option, id);
  if (option.kind === 'color') return makeColor(id);
  return sliderStep(option) ? makeSlider(option, id) : makeText(option, id);
}

function makeSwitch(id) {
  const input = h('input', { type: 'checkbox', role: 'switch', id, class: 'switch' });
  return { input, read: () => input.checked, show: (value) => { input.checked = Boolean(value); }, row: [input] };
}

function makeChoice(option, id) {
  const choices = option.choices.map((choice) => [choice].flat()).map(([value, text = value]) => h('option', { value, text }));
  const empty = option.default === null && h('option', { value: '', text: option.default_text || texts.form.useDefault });
  const input = h('select', { id }, empty, choices);
  return { input, read: () => input.value || null, show: (value) => { input.value = value ?? ''; } };
}

function makeColor(id) {
  const input = h('input', { type: 'color', id });
  return { input, read: () => input.value, show: (value) => { input.value = value ?? '#808080'; }, event: 'input' };
}

/** The step of a slider; 0 if a field to type into is better. */
function sliderStep({ kind, range, default: standard }) {
  if (!range || typeof standard !== 'number') return 0;
  const length = range[1] - range[0];
  if (kind === 'integer') return length <= SLIDER_STEPS ? 1 : 0;
  return length <= 1000 ? 10 ** Math.floor(Math.log10(length / 50)) : 0; // 50 to 500 steps
}

function makeSlider(option, id) {
  const step = sliderStep(option);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const input = h('input', { type: 'range', id, min: option.range[0], max: option.range[1], step });
  const output = h('output', { for: id });
  const label = () => { output.textContent = `${Number(input.value).toFixed(digits)} ${option.unit ?? ''}`; };
  const show = (value) => {
    input.value = value ?? option.default;
    label();
  };
  input.addEventListener('input', label);
  return { input, read: () => Number(input.value), show, event: 'input', row: [output] };
}

function makeText(option, id) {
  const number = option.kind === 'integer' || option.kind === 'number';
  const input = h('input', { type: 'text', id, placeholder: option.default_text || option.default, autocomplete: 'off', spellcheck: 'false', inputmode: number && 'decimal' });
  const read = () => {
    const text = input.value.trim();
    if (!text) return null;
    if (option.kind === 'list') return text.split(';').map((part) => part.trim());
    return number && Number.isFinite(Number(text)) ? Number(text) : text;
  };
  const joint = { size: 'x', list: '; ' }[option.kind] ?? ',';
  const show = (value) => { input.value = [value ?? ''].flat().join(joint); };
  return { input, read, show, extra: [h('span', { class: 'quiet', text: option.unit ?? '' })] };
}
