// Standby, snapshot and recording; the space bar.

import { command, newestWins, postForBlob } from './api.js';
import { announce, h, icon, setIcon, toast, toastError, whileBusy } from './dom.js';
import { flash, showTimer } from './preview.js';
import { canChange, current, situation, subscribe } from './store.js';
import { texts } from './texts.js';

const standbyTitle = h('span', { class: 'title' });
const standbyHint = h('span', { class: 'quiet' });
const standby = h('button', { class: 'standby', id: 'standby', 'aria-keyshortcuts': 'Space' },
  h('span', { class: 'words' }, standbyTitle, standbyHint), h('kbd', { text: texts.dock.key, 'aria-hidden': 'true' }));
const snapshot = h('button', { class: 'tool', id: 'snapshot' }, icon('snapshot'), h('span', { text: texts.dock.snapshot }));
const record = h('button', { class: 'tool', id: 'record' }, h('span', { text: texts.dock.record }));

let recording = null; // {file, since}: `since` by the page's clock, so that the timer runs between two statuses
let byPointer = false; // whether the focus was set by a click: then the space bar is not for the focused button

export function fillDock(element) {
  element.append(snapshot, standby, record);
  standby.addEventListener('click', toggleStandby);
  snapshot.addEventListener('click', takeSnapshot);
  record.addEventListener('click', toggleRecording);
  setInterval(showTime, 500);
  addEventListener('pointerdown', () => { byPointer = true; }, true);
  addEventListener('keydown', onKey, true);
  addEventListener('keyup', onKey, true);
  subscribe(show);
}

const onStandby = () => situation() === 'standby';

let wanted = null; // pressed last and not answered yet: a press before the answer counts too
const setStandby = newestWins(async (value) => {
  await command('standby', value).catch(toastError);
  if (wanted === value) wanted = null;
});

function toggleStandby() {
  wanted = !(wanted ?? onStandby());
  setStandby(wanted);
}

async function takeSnapshot() {
  await whileBusy(snapshot, async () => {
    try {
      const blob = await postForBlob('/api/snapshot');
      flash();
      download(blob, `rtmatte-${timestamp()}.png`);
      toast(texts.dock.snapshotDone);
    } catch (error) {
      toastError(error);
    }
  });
}

async function toggleRecording() {
  const stopped = recording?.file;
  await whileBusy(record, async () => {
    try {
      await command(stopped ? 'record_stop' : 'record_start');
      if (stopped) toast(texts.dock.recorded, { hint: stopped });
      else if (recording) announce(texts.dock.recording(recording.file));
    } catch (error) {
      toastError(error);
    }
  });
}

function show(state) {
  const usable = canChange(state) && state.status !== null;
  const resting = onStandby();
  standby.classList.toggle('on', resting);
  standbyTitle.textContent = resting ? texts.dock.resume : texts.dock.standby;
  standbyHint.textContent = resting ? texts.dock.resumeHint : texts.dock.standbyHint;
  setIcon(standby, resting ? 'live' : 'standby');
  for (const button of [standby, snapshot, record]) button.disabled = !usable;
  const now = state.status?.recording ?? null;
  const since = now && performance.now() - now.seconds * 1000;
  const same = recording && now && recording.file === now.file;
  recording = now && { file: now.file, since: same ? Math.min(recording.since, since) : since };
  record.classList.toggle('on', Boolean(recording));
  setIcon(record, recording ? 'stop' : 'record');
  showTime();
}

function showTime() {
  const time = recording ? clock((performance.now() - recording.since) / 1000) : '';
  record.lastChild.textContent = recording ? texts.dock.stop(time) : texts.dock.record;
  record.title = recording ? texts.dock.recording(recording.file) : '';
  showTimer(time);
}

/** 75 is "01:15". */
function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return (parts[0] ? parts : parts.slice(1)).map((part) => String(part).padStart(2, '0')).join(':');
}

/** "20261129-194501", in local time. */
const timestamp = () => new Date().toLocaleString('sv').replace(/[-:]/g, '').replace(' ', '-');

function download(blob, name) {
  const url = URL.createObjectURL(blob);
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** The space bar is standby, unless it is for the element that has the focus. */
function onKey(event) {
  if (event.key !== ' ') {
    if (event.type === 'keydown' && event.key !== 'Shift') byPointer = false;
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || isForFocused(document.activeElement)) return;
  event.preventDefault(); // no scrolling, and no click of the button that was clicked last
  event.stopPropagation();
  if (event.type === 'keydown' && !event.repeat && canChange() && current().status) toggleStandby();
}

function isForFocused(element) {
  if (!element || element === document.body || element.matches('[role=tabpanel]')) return false;
  if (element.matches('input, select, textarea, [contenteditable]')) return true;
  return !byPointer;
}
