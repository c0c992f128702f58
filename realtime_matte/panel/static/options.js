// The options of Config as forms, group by group, in step with the status.

import { command, get } from './api.js';
import { failed, h } from './dom.js';
import { makeField } from './forms.js';
import { current, optionValue, subscribe } from './store.js';
import { texts } from './texts.js';

/** These have a place of their own on the page. */
const ELSEWHERE = new Set(['bg', 'camera', 'size', 'fps', 'output', 'model']);

/** Which tab shows a group; groups that are not listed are shown with the camera. */
const TAB_OF_GROUP = { Camera: 'camera', Background: 'background', Output: 'output', 'Standby card': 'output', Model: 'quality', Run: '' };

let loading = null;

/** The groups of options, asked for once. */
function loadOptions() {
  loading ??= get('/api/options').catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

/** All forms of one tab. A group gets a heading unless it is named in `untitled`. */
export function optionForms(tab, { untitled = [] } = {}) {
  const element = h('div', { class: 'forms' });
  const fill = async () => {
    try {
      const { groups } = await loadOptions();
      element.replaceChildren(...groups.filter((group) => (TAB_OF_GROUP[group.name] ?? 'camera') === tab)
        .flatMap((group) => makeGroup(group, !untitled.includes(group.name))));
    } catch (error) {
      element.replaceChildren(failed(error, fill));
    }
  };
  fill();
  return element;
}

function makeGroup({ name, options }, titled) {
  const fields = options.filter((option) => option.applies === 'live' && !ELSEWHERE.has(option.name)).map(makeOptionField);
  if (!fields.length) return [];
  return [h('fieldset', { class: 'group' }, h('legend', { class: titled ? '' : 'hidden', text: name }), fields)];
}

function makeOptionField(option) {
  const value = current().status ? optionValue(option.name) : option.value;
  const field = makeField({ ...option, value }, (changed) => command(option.name, changed));
  subscribe(({ status }) => status && option.name in status.options && field.show(status.options[option.name]));
  return field.element;
}
