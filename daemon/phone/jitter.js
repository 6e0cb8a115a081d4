// Evens out sound that arrives in bursts: playing starts once `start` samples wait, and starts anew after
// the buffer has run dry. More than `most` waiting samples are cut back to `start`: better a short gap than
// a conversation that lags ever further behind.

export class JitterBuffer {
  constructor(start, most) {
    this.start = start;
    this.most = most;
    this.clear();
  }

  clear() {
    this.chunks = [];
    this.waiting = 0;
    this.used = 0; // samples already taken from chunks[0]
    this.playing = false;
  }

  push(samples) {
    this.chunks.push(samples);
    this.waiting += samples.length;
    if (this.waiting > this.most) {
      this.take(this.waiting - this.start, () => {});
    }
    this.playing = this.playing || this.waiting >= this.start;
  }

  // Adds the next samples to `output` (floats, full scale 1), times `gain`.
  mixInto(output, gain) {
    if (!this.playing) {
      return;
    }
    this.take(output.length, (sample, index) => {
      output[index] += (gain * sample) / 32768;
    });
    this.playing = this.waiting > 0;
  }

  take(count, each) {
    for (let index = 0; index < count && this.waiting > 0; index += 1) {
      each(this.chunks[0][this.used], index);
      this.used += 1;
      this.waiting -= 1;
      if (this.used === this.chunks[0].length) {
        this.chunks.shift();
        this.used = 0;
      }
    }
  }
}
