// Who said what and when, as a list that follows the conversation.

const KINDS = { 系统: 'system', 按键: 'keys' }; // what else there is, is a note

export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
}

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

export class Transcript {
  constructor(list) {
    this.list = list;
  }

  clear() {
    this.list.replaceChildren();
  }

  // `at` in seconds since the call was answered.
  add({ at, who, text }) {
    const last = this.list.lastElementChild;
    if (who === '按键' && text.length === 1 && last?.dataset.who === who) {
      last.querySelector('.text').textContent += text; // eighteen digits are one line, not eighteen
    } else {
      const entry = element('li', KINDS[who] ?? 'note', '');
      entry.dataset.who = who;
      entry.append(element('time', '', clock(at)), element('b', '', who), element('span', 'text', text));
      this.list.append(entry);
    }
    this.list.scrollTop = this.list.scrollHeight;
  }
}
