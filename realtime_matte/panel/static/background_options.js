// What can be set of the current background: strength of a blur, a colour, brightness.

import { h } from './dom.js';
import { makeField } from './forms.js';
import { texts } from './texts.js';

/**
 * The form of the current background: {element, show(item)}, `item` is one of the gallery.
 * `choose(id, options)` asks for a change. A field stays while its values change, so that a drag is not cut off.
 */
export function createBackgroundOptions(choose) {
  const element = h('div', { class: 'adjust' });
  let shown = '';
  let fields = [];
  let values = {};
  const show = (item) => {
    const options = item?.options ?? [];
    const key = JSON.stringify([item?.id, options.map(({ name }) => name)]);
    values = Object.fromEntries(options.map(({ name, value }) => [name, value]));
    if (key === shown) options.forEach(({ value }, index) => fields[index].show(value));
    else {
      shown = key;
      fields = options.map((option) => makeField(option, (value) => choose(item.id, Object.assign(values, { [option.name]: value }))));
      element.replaceChildren(fields.length ? h('fieldset', { class: 'group' },
        h('legend', { text: texts.backgrounds.optionsOf(item.name) }), fields.map((field) => field.element)) : '');
    }
  };
  return { element, show };
}
