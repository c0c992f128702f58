// The gallery of backgrounds.

import { get, getBlob, inOrder, post, send } from './api.js';
import { announce, failed, h, icon, placeholder, roundButton, toastError, whileBusy } from './dom.js';
import { createBackgroundOptions } from './background_options.js';
import { optionForms } from './options.js';
import { subscribe } from './store.js';
import { texts } from './texts.js';
import { installUpload } from './upload.js';

const KIND_ICONS = { blur: 'blur', none: 'person', color: 'color', video: 'film', folder: 'stack' };

const thumbnails = new Map(); // id: promise of an object URL, or of '' where there is none
const gallery = h('div', { class: 'gallery-groups' });
const uploads = h('div', { class: 'uploads' });

// In the order of the clicks: a color that is picked while its tile is being chosen must be the last one.
const request = inOrder((id, options) => post('/api/background', { id, options }));
const options = createBackgroundOptions(request);

let shown = ''; // what the gallery shows, so that an equal answer changes nothing

export function createBackgrounds() {
  const [input, add] = installUpload(uploads, async (id) => {
    await load();
    await choose(id);
  });
  addTile = add;
  gallery.append(placeholder('loading', texts.backgrounds.loading));
  gallery.addEventListener('keydown', moveFocus);
  subscribe((state, before) => {
    const back = state.connection === 'open' && before.connection !== 'open';
    if (back || state.status?.background !== before.status?.background) load();
  });
  document.addEventListener('visibilitychange', () => document.hidden || load());
  const element = h('div', {}, h('h2', { text: texts.backgrounds.title }), input, uploads, gallery, options.element, optionForms('background', { untitled: ['Background'] }));
  load();
  return { element, shown: load };
}

let addTile = null;

async function load() {
  let list;
  try {
    list = await get('/api/backgrounds');
  } catch (error) {
    if (!shown) gallery.replaceChildren(failed(error, load));
    return;
  }
  options.show(list.find((item) => item.current));
  const key = JSON.stringify(list.map((item) => ({ ...item, options: null })));
  if (key === shown) return;
  shown = key;
  render(list);
}

const GROUPS = [
  ['builtin', (item) => !item.own && item.kind !== 'recent' && !isFile(item)],
  ['own', (item) => item.own],
  ['recent', (item) => !item.own && (item.kind === 'recent' || isFile(item))],
];
const isFile = ({ kind }) => ['image', 'video', 'folder'].includes(kind);

function render(list) {
  const focused = document.activeElement?.dataset?.background;
  const sections = GROUPS.map(([name, belongs]) => [name, list.filter(belongs)])
    .filter(([name, items]) => items.length || name === 'own')
    .map(([name, items]) => h('section', { class: 'gallery-group' },
      h('h3', { text: texts.backgrounds.groups[name] }),
      h('ul', { class: 'gallery' }, items.map(makeTile), name === 'own' && h('li', {}, addTile)),
      name === 'own' && !items.length && h('p', { class: 'help', text: texts.backgrounds.hint })));
  gallery.replaceChildren(...sections);
  if (focused) gallery.querySelector(`[data-background="${CSS.escape(focused)}"]`)?.focus();
}

function makeTile(item) {
  const thumb = h('span', { class: `thumb ${item.kind}` }, KIND_ICONS[item.kind] ? icon(KIND_ICONS[item.kind]) : null);
  const tile = h('button', { class: 'tile', title: item.name, 'data-background': item.id, 'aria-pressed': String(Boolean(item.current)) },
    thumb, h('span', { class: 'name', text: item.name }));
  tile.addEventListener('click', () => item.current || whileBusy(tile, () => choose(item.id)));
  loadThumbnail(item, thumb);
  if (!item.own) return h('li', {}, tile);
  const remove = roundButton('trash', texts.backgrounds.remove(item.name), () => whileBusy(remove, () => discard(item)), { class: 'round remove' });
  tile.addEventListener('keydown', (event) => event.key === 'Delete' && discard(item));
  return h('li', {}, tile, remove);
}

async function loadThumbnail({ id }, thumb) {
  if (!thumbnails.has(id)) {
    thumbnails.set(id, getBlob(`/api/backgrounds/${encodeURIComponent(id)}/thumbnail`).then(URL.createObjectURL, () => ''));
  }
  const url = await thumbnails.get(id);
  if (!url) return;
  const image = h('img', { alt: '', src: url, draggable: 'false' });
  await image.decode().catch(() => null);
  thumb.classList.add('loaded');
  thumb.prepend(image);
}

async function choose(id) {
  try {
    await request(id);
    await load();
  } catch (error) {
    toastError(error);
  }
}

async function discard(item) {
  try {
    await send('DELETE', `/api/backgrounds/${encodeURIComponent(item.id)}`);
    announce(texts.backgrounds.removed(item.name));
    await load();
    addTile.focus();
  } catch (error) {
    toastError(error);
  }
}

/** Arrow keys move between the tiles. */
function moveFocus(event) {
  const tiles = [...gallery.querySelectorAll('.tile')];
  const columns = getComputedStyle(gallery.querySelector('ul') ?? gallery).gridTemplateColumns.split(' ').length;
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
  const next = tiles[tiles.indexOf(event.target) + step];
  if (!next || !tiles.includes(event.target)) return;
  event.preventDefault();
  next.focus();
}
