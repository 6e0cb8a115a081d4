// The earpiece and the microphone, on the browser's audio thread. In: {far} and {own} int16 samples to be
// heard, {clear}. Out: int16 samples of the microphone, 40 ms at a time.

import { JitterBuffer } from './jitter.js';

const MILLISECOND = 8; // samples
const CAPTURE = 40 * MILLISECOND;
const SIDETONE = 0.25; // own keys are heard softly, as in a telephone

class Handset extends AudioWorkletProcessor {
  constructor() {
    super();
    this.far = new JitterBuffer(80 * MILLISECOND, 300 * MILLISECOND);
    this.own = new JitterBuffer(0, 2000 * MILLISECOND);
    this.captured = new Int16Array(CAPTURE);
    this.filled = 0;
    this.port.onmessage = ({ data }) => {
      if (data.clear) {
        this.far.clear();
        this.own.clear();
        this.filled = 0;
      } else if (data.far) {
        this.far.push(data.far);
      } else {
        this.own.push(data.own);
      }
    };
  }

  process(inputs, outputs) {
    const speaker = outputs[0][0];
    this.far.mixInto(speaker, 1);
    this.own.mixInto(speaker, SIDETONE);
    const microphone = inputs[0][0];
    if (microphone) {
      this.capture(microphone);
    }
    return true;
  }

  capture(microphone) {
    for (const sample of microphone) {
      this.captured[this.filled] = Math.max(-1, Math.min(1, sample)) * 32767;
      this.filled += 1;
      if (this.filled === CAPTURE) {
        this.port.postMessage(this.captured);
        this.filled = 0;
      }
    }
  }
}

registerProcessor('handset', Handset);
