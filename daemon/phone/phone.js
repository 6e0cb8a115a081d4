// The page itself: one WebSocket is one call, from lifting the receiver to putting it down.
// Binary messages are int16 samples (mono, 8000 Hz, little endian, whole 20 ms frames) both ways; JSON
// messages come from the service only: {state}, {said}, {refused}.

import { KEYS } from './dtmf.js';
import { Keying } from './keying.js';
import { Sound } from './sound.js';
import { Transcript, clock } from './transcript.js';

const STATES = {
  idle: '待机',
  dialling: '正在拨号',
  ringing: '振铃',
  talking: '通话中',
  ended: '对方已挂机',
};
const LINE_STATES = { 'on-hook': '空闲', ringing: '振铃', 'off-hook': '通话中' };
const MICROPHONE_FAULTS = {
  NotAllowedError: '浏览器没有允许使用话筒。需要时请在地址栏左侧重新允许。',
  NotFoundError: '这台电脑没有找到话筒。',
  NotSupportedError: '这个浏览器不能把话筒接到电话上，请用 Chrome 或 Edge。',
};
const REFRESH_MS = 3000;
const KEYED_SHOWN = 22;

const by = (id) => document.getElementById(id);
const transcript = new Transcript(by('transcript'));
const sound = new Sound((samples) => {
  if (inCall() && !keying.busy) {
    socket.send(samples); // a telephone mutes its microphone while a key sounds
  }
});
const keying = new Keying((key, samples) => {
  socket.send(samples);
  sound.hearOwn(samples);
  by('keyed').textContent = (by('keyed').textContent + key).slice(-KEYED_SHOWN);
});
let socket = null;
let talkingSince = null;

const state = () => document.body.dataset.state;
const inCall = () => state() === 'talking';

function show(name) {
  document.body.dataset.state = name;
  by('state').textContent = STATES[name];
  by('dial').disabled = name !== 'idle';
  by('line').disabled = name !== 'idle';
  by('caller').disabled = name !== 'idle';
  by('hang-up').disabled = name === 'idle';
  for (const button of document.querySelectorAll('[data-key], [data-keys], #microphone')) {
    button.disabled = name !== 'talking';
  }
  if (name === 'talking') {
    talkingSince = performance.now();
  } else {
    talkingSince = null;
    keying.clear();
    closeMicrophone();
  }
  showClock();
}

const talkedFor = () => (performance.now() - talkingSince) / 1000;

function showClock() {
  by('clock').textContent = talkingSince === null ? '' : clock(talkedFor());
}

function say(message) {
  by('message').textContent = message;
}

// The call

function dial() {
  const query = new URLSearchParams({ line: by('line').value, caller: by('caller').value });
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const opened = new WebSocket(`${scheme}://${location.host}/phone/call?${query}`);
  opened.binaryType = 'arraybuffer';
  opened.onmessage = ({ data }) => (typeof data === 'string' ? told(JSON.parse(data)) : heard(new Int16Array(data)));
  opened.onclose = ({ code }) => {
    if (socket === opened) {
      hangUp();
      if (code !== 1000) {
        say('与服务的连接断开了，请重新拨打；仍然不行时请检查服务是否在运行。');
      }
    }
  };
  socket = opened;
  transcript.clear();
  by('keyed').textContent = '';
  say('');
  show('dialling');
  sound.start().catch(() => say('这里放不出声音（没有扬声器，或浏览器不支持），按键和通话记录照常可用。'));
}

function told(message) {
  if (message.state) {
    by('where').textContent = message.state === 'ended' ? '请按“挂机”放下听筒' : `线路 ${message.line}`;
    show(message.state);
  } else if (message.said) {
    transcript.add(message.said);
  } else if (message.refused) {
    hangUp();
    say(message.refused);
  }
}

function heard(samples) {
  sound.hear(samples);
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  by('level').value = power < 1 ? 0 : 100 + (100 / 60) * 10 * Math.log10(power / 32768 ** 2); // -60 dB is 0
}

function hangUp() {
  const closing = socket;
  socket = null;
  closing?.close(1000);
  sound.silence();
  by('level').value = 0;
  by('where').textContent = '未接通';
  show('idle');
  refreshLines();
}

async function toggleMicrophone() {
  say('');
  if (sound.microphoneIsOpen) {
    closeMicrophone();
    return;
  }
  try {
    await sound.openMicrophone();
    showMicrophone();
  } catch (fault) {
    say(MICROPHONE_FAULTS[fault.name] ?? `话筒接不上：${fault.message}`);
  }
  if (!inCall()) {
    closeMicrophone(); // the call ended while the browser was asking for permission
  }
}

function closeMicrophone() {
  sound.closeMicrophone();
  showMicrophone();
}

function showMicrophone() {
  by('microphone').textContent = sound.microphoneIsOpen ? '关闭话筒' : '打开话筒';
  by('microphone').setAttribute('aria-pressed', String(sound.microphoneIsOpen));
}

// Keys

function press(keys) {
  if (inCall()) {
    keying.press(keys);
  }
}

function typed(event) {
  const key = event.key.normalize('NFKC'); // a Chinese input method may type ＃ or １
  const writing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (writing || event.repeat || event.ctrlKey || event.altKey || event.metaKey || !KEYS.includes(key)) {
    return;
  }
  event.preventDefault();
  press(key);
  const button = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  button.classList.add('pressed');
  setTimeout(() => button.classList.remove('pressed'), 150);
}

// What the service knows

async function fetched(path) {
  const answer = await fetch(path);
  if (!answer.ok) {
    throw new Error(`${path}: ${answer.status}`);
  }
  return answer.json();
}

async function refreshLines() {
  if (document.hidden) {
    return;
  }
  const chosen = by('line').value;
  const options = [new Option('自动选一条空闲线路', '')];
  try {
    for (const { name, state: hook, alarm, phone } of await fetched('/api/lines')) {
      if (phone) {
        options.push(new Option(`${name}（${alarm ? '故障' : LINE_STATES[hook]}）`, name, false, name === chosen));
      }
    }
  } catch {
    options[0].text = '服务没有回答，线路状态不明';
  }
  const texts = (list) => Array.from(list, (option) => option.text).join();
  if (texts(options) !== texts(by('line').options)) {
    by('line').replaceChildren(...options); // only then: it closes the list somebody may be choosing from
  }
}

async function showHints() {
  for (const { title, number, keys, expect } of await fetched('/api/hints')) {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.keys = keys;
    button.textContent = '键入';
    button.setAttribute('aria-label', `键入${title}：${number}`);
    button.disabled = !inCall();
    button.onclick = () => press(keys);
    for (const [name, text] of [['b', title], ['code', number], ['span', expect]]) {
      item.append(Object.assign(document.createElement(name), { textContent: text }));
    }
    item.append(button);
    by('hint-list').append(item);
    by('hints').hidden = false;
  }
}

by('dialling').addEventListener('submit', (event) => {
  event.preventDefault();
  dial();
});
by('hang-up').addEventListener('click', () => {
  if (inCall()) {
    transcript.add({ at: talkedFor(), who: '状态', text: '您已挂机' });
  }
  hangUp();
});
by('microphone').addEventListener('click', toggleMicrophone);
by('keypad').addEventListener('click', ({ target }) => press(target.dataset.key ?? ''));
document.addEventListener('keydown', typed);
document.addEventListener('visibilitychange', refreshLines);
window.addEventListener('pagehide', () => socket?.close());
setInterval(showClock, 500);
setInterval(refreshLines, REFRESH_MS);
show('idle');
refreshLines();
showHints().catch(() => say('取不到演示号码。'));
