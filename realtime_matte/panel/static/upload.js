// Files that become backgrounds: chosen, dropped anywhere on the page, or pasted.

import { upload } from './api.js';
import { announce, h, icon, roundButton } from './dom.js';
import { texts } from './texts.js';

const MAX_MB = 200; // as the server

/** `place`: where the progress or the message of each file is shown; `added(id)`: called with the new background. */
export function installUpload(place, added) {
  const input = h('input', { type: 'file', class: 'hidden', id: 'add-file', accept: 'image/*,video/*', multiple: true, tabindex: '-1', 'aria-hidden': 'true' });
  const tile = h('button', { class: 'tile add', 'aria-label': texts.backgrounds.addLabel },
    h('span', { class: 'thumb' }, icon('plus')), h('span', { class: 'name', text: texts.backgrounds.add }));
  let last = Promise.resolve(); // one file at a time
  const take = (files) => {
    for (const file of files) {
      const row = h('div', { class: 'upload' }, h('p', { text: texts.backgrounds.uploading(file.name, 0) }));
      place.append(row);
      last = last.then(() => start(file, row, added));
    }
  };
  tile.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    take(input.files);
    input.value = '';
  });
  document.addEventListener('paste', (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    take(event.clipboardData.files);
  });
  installDrop(take);
  return [input, tile];
}

function installDrop(take) {
  const veil = h('div', { class: 'veil', hidden: true }, icon('drop'), h('p', { text: texts.backgrounds.drop }));
  document.body.append(veil);
  let depth = 0; // enter and leave are sent for every element below the pointer
  const set = (value) => {
    depth = Math.max(0, value);
    veil.hidden = !depth;
  };
  const ofFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  addEventListener('dragenter', (event) => ofFiles(event) && set(depth + 1));
  addEventListener('dragleave', (event) => ofFiles(event) && set(depth - 1));
  addEventListener('dragover', (event) => ofFiles(event) && event.preventDefault());
  addEventListener('drop', (event) => {
    set(0);
    if (!ofFiles(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });
}

async function start(file, row, added) {
  const label = row.firstChild;
  const bar = h('progress', { max: '1', value: '0', 'aria-label': label.textContent });
  row.append(bar);
  try {
    if (file.size > MAX_MB * 1e6) throw new Error(texts.backgrounds.tooLarge(MAX_MB));
    const { id } = await upload(`/api/backgrounds?name=${encodeURIComponent(file.name)}`, file, (part) => {
      bar.value = part;
      label.textContent = part < 1 ? texts.backgrounds.uploading(file.name, Math.round(part * 100)) : texts.backgrounds.checking(file.name);
      if (part >= 1) bar.removeAttribute('value'); // the server checks it: no end in sight
    });
    row.remove();
    announce(texts.backgrounds.added(file.name));
    await added(id);
  } catch (error) {
    showError(row, file, error);
  }
}

function showError(row, file, error) {
  const text = error.message.includes(file.name) ? error.message : `${file.name}: ${error.message}`;
  row.classList.add('failed');
  row.setAttribute('role', 'alert');
  row.replaceChildren(
    icon('warning'),
    h('div', {}, h('p', { text }), error.hint && h('p', { class: 'quiet', text: error.hint })),
    roundButton('close', texts.backgrounds.dismiss, () => row.remove()),
  );
}
