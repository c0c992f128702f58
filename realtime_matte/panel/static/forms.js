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
  const help = option.help ? h('p', { class: 'help', id: `${id}-help`, text: sentence(option.help) }) : null;
  const control = makeControl(option, id);
  const input = control.input;
  const error = errorLine(input);
  input.setAttribute('aria-describedby', [help?.id, error.element.id].filter(Boolean).join(' '));
  let edited = false;
  let waiting = 0;

  const change = newestWins(async (value) => {
    waiting += 1;
    try {
      await send(value);
      edited = false;
      error.show(null);
    } catch (problem) {
      error.show(problem);
    } finally {
      waiting -= 1;
    }
  });

  control.listen(() => change(control.read()), () => { edited = true; });
  control.show(option.value);
  const element = h('div', { class: 'field', 'data-option': option.name }, control.layout(label(option, id), help), error.element);
  return {
    element,
    show(value) {
      if (edited || waiting || document.activeElement === input && input.matches('[type=text], [type=number]')) return;
      control.show(value);
    },
  };
}

const label = (option, id) => h('label', { for: id, text: option.label });

/** Help texts are written for a list of options, without a capital and a full stop. */
const sentence = (help) => help.charAt(0).toUpperCase() + help.slice(1);

function makeControl(option, id) {
  if (option.kind === 'switch') return makeSwitch(option, id);
  if (option.kind === 'choice' || option.choices?.length) return makeChoice(option, id);
  if (option.kind === 'color') return makeColor(option, id);
  if (sliderStep(option)) return makeSlider(option, id);
  return makeText(option, id);
}

const standard = (input, extra = []) => (title, help) => [title, h('div', { class: 'control' }, input, ...extra), help].filter(Boolean);

function makeSwitch(option, id) {
  const input = h('input', { type: 'checkbox', role: 'switch', id, class: 'switch' });
  return {
    input,
    read: () => input.checked,
    show: (value) => { input.checked = Boolean(value); },
    listen: (commit) => input.addEventListener('change', commit),
    layout: (title, help) => [h('div', { class: 'row between' }, title, input), help].filter(Boolean),
  };
}

function makeChoice(option, id) {
  const choices = option.choices ?? [];
  const empty = option.default === null ? [h('option', { value: '', text: option.default_text || texts.form.useDefault })] : [];
  const input = h('select', { id }, empty, choices.map((choice) => [choice].flat()).map(([value, text = value]) => h('option', { value, text })));
  return {
    input,
    read: () => input.value || null,
    show: (value) => { input.value = value ?? ''; },
    listen: (commit) => input.addEventListener('change', commit),
    layout: standard(input),
  };
}

function makeColor(option, id) {
  const input = h('input', { type: 'color', id });
  return {
    input,
    read: () => input.value,
    show: (value) => { input.value = value ?? option.default ?? '#808080'; },
    listen: (commit) => input.addEventListener('input', commit),
    layout: standard(input),
  };
}

/** The step of a slider; 0 if a field to type into is better. */
function sliderStep({ kind, range, default: standardValue }) {
  if (!range || standardValue === null || standardValue === undefined) return 0;
  const length = range[1] - range[0];
  if (kind === 'integer') return length <= SLIDER_STEPS ? 1 : 0;
  if (kind !== 'number' || length > 1000) return 0;
  return 10 ** Math.floor(Math.log10(length / 50)); // 50 to 500 steps
}

function makeSlider(option, id) {
  const step = sliderStep(option);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const input = h('input', { type: 'range', id, min: option.range[0], max: option.range[1], step });
  const output = h('output', { for: id });
  const show = () => {
    const part = (input.value - input.min) / (input.max - input.min);
    input.style.setProperty('--filled', `${part * 100}%`);
    output.textContent = `${Number(input.value).toFixed(digits)}${option.unit ? ` ${option.unit}` : ''}`;
  };
  return {
    input,
    read: () => Number(input.value),
    show: (value) => { input.value = value ?? option.default; show(); },
    listen: (commit) => input.addEventListener('input', () => { show(); commit(); }),
    layout: (title, help) => [h('div', { class: 'row between' }, title, output), input, help].filter(Boolean),
  };
}

function makeText(option, id) {
  const number = option.kind === 'integer' || option.kind === 'number';
  const placeholder = option.default_text || (option.default ?? '').toString();
  const input = h('input', { type: 'text', id, placeholder, autocomplete: 'off', spellcheck: 'false', inputmode: number ? 'decimal' : null });
  return {
    input,
    read: () => {
      const text = input.value.trim();
      if (!text) return null;
      return number && Number.isFinite(Number(text)) ? Number(text) : text;
    },
    show: (value) => { input.value = asText(value); },
    listen: (commit, edit) => {
      input.addEventListener('input', edit);
      input.addEventListener('change', commit);
      input.addEventListener('keydown', (event) => event.key === 'Enter' && commit());
    },
    layout: standard(input, option.unit ? [h('span', { class: 'quiet', text: option.unit })] : []),
  };
}

function asText(value) {
  if (value === null || value === undefined) return '';
  return Array.isArray(value) ? value.join(typeof value[0] === 'number' ? 'x' : ', ') : String(value);
}
