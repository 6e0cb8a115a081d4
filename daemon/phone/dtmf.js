// The sound of a telephone key as int16 samples at 8000 Hz (ITU-T Q.23), and how fast keys may follow.

export const RATE = 8000;
export const FRAME = 160; // 20 ms, what the service moves at a time

const LOW_HZ = [697, 770, 852, 941];
const HIGH_HZ = [1209, 1336, 1477];
const ROWS = ['123', '456', '789', '*0#'];

// A full-scale sine is +3.14 dBm0. The high tone is 2 dB above the low one, as telephone sets send it
// because long lines weaken high frequencies; together they average -9 dBm0 a tone.
const FULL_SCALE_DBM0 = 3.14;
const LOW_DBM0 = -10;
const HIGH_DBM0 = -8;

// ITU-T Q.24 asks receivers to accept 40 ms; fast typing is stretched to what any exchange hears.
const ON_MS = 100;
const OFF_MS = 80;
const RAMP_MS = 3; // raised-cosine edges, or each key would begin and end with a click

export const KEYS = ROWS.join('');
export const KEY_MS = ON_MS + OFF_MS;

const amplitude = (dbm0) => 32767 * 10 ** ((dbm0 - FULL_SCALE_DBM0) / 20);
const samplesIn = (ms) => (ms * RATE) / 1000;

function edge(index, length) {
  const ramp = samplesIn(RAMP_MS);
  const inside = Math.min(index, length - 1 - index);
  return inside >= ramp ? 1 : 0.5 - 0.5 * Math.cos((Math.PI * inside) / ramp);
}

// One key press: tone and the pause after it, 1440 samples, so that a digit can never be cut by a late timer.
export function keySamples(key) {
  const row = ROWS.findIndex((keys) => keys.includes(key));
  const low = (2 * Math.PI * LOW_HZ[row]) / RATE;
  const high = (2 * Math.PI * HIGH_HZ[ROWS[row].indexOf(key)]) / RATE;
  const on = samplesIn(ON_MS);
  const samples = new Int16Array(samplesIn(KEY_MS));
  for (let i = 0; i < on; i += 1) {
    const tones = amplitude(LOW_DBM0) * Math.sin(low * i) + amplitude(HIGH_DBM0) * Math.sin(high * i);
    samples[i] = Math.round(edge(i, on) * tones);
  }
  return samples;
}
