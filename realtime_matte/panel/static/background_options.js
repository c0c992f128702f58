// What can be set of the current background: strength of a blur, a colour, brightness.

import { post } from './api.js';
import { h } from './dom.js';
import { makeField } from './forms.js';
import { texts } from './texts.js';

/** The form of `item` of the gallery: a list of no or one element. */
export function backgroundOptions(item) {
  if (!item?.options?.length) return [];
  const values = Object.fromEntries(item.options.map((option) => [option.name, option.value]));
  const fields = item.options.map((option) => makeField(option, (value) => {
    values[option.name] = value;
    return post('/api/background', { id: item.id, options: values });
  }));
  return [h('fieldset', { class: 'group' }, h('legend', { text: texts.backgrounds.optionsOf(item.name) }), fields.map(({ element }) => element))];
}
