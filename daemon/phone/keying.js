// Keys typed as fast as you like leave one after the other, each as its whole tone and pause. A late timer can
// therefore only lengthen a pause, never split a tone into two digits.

import { KEY_MS, keySamples } from './dtmf.js';

const LEAD_MS = 60; // a key is handed over so long before the one in front of it has been heard out
const MOST_WAITING = 64; // keys; a stuck key must not dial for minutes

export class Keying {
  constructor(send) {
    this.send = send; // called with (key, samples)
    this.freeAt = 0; // performance.now() when the last key's pause is over
    this.clear();
  }

  clear() {
    clearTimeout(this.timer);
    this.timer = null;
    this.waiting = [];
  }

  get busy() {
    return performance.now() < this.freeAt;
  }

  press(keys) {
    this.waiting.push(...keys);
    this.waiting.length = Math.min(this.waiting.length, MOST_WAITING);
    if (this.timer === null) {
      this.schedule();
    }
  }

  schedule() {
    const wait = this.freeAt - LEAD_MS - performance.now();
    if (wait <= 0) {
      this.sendNext();
    } else {
      this.timer = setTimeout(() => this.sendNext(), wait);
    }
  }

  sendNext() {
    this.timer = null;
    const key = this.waiting.shift();
    this.freeAt = Math.max(this.freeAt, performance.now()) + KEY_MS;
    this.send(key, keySamples(key));
    if (this.waiting.length > 0) {
      this.schedule();
    }
  }
}
