// Loudspeaker and microphone. Nothing here is needed for a call: without a sound device, or where the browser
// forbids one, keys and transcript work all the same.

import { RATE } from './dtmf.js';

export class Sound {
  constructor(onMicrophone) {
    this.onMicrophone = onMicrophone; // called with int16 samples
    this.starting = null;
    this.context = null;
    this.handset = null;
    this.microphone = null;
  }

  // Must be called from a click: browsers let no page make a sound before one.
  async start() {
    this.starting ??= this.build();
    await this.starting;
    this.context.resume().catch(() => {}); // not awaited: without a device it may never settle
  }

  async build() {
    this.context = new AudioContext({ sampleRate: RATE, latencyHint: 'interactive' });
    await this.context.audioWorklet.addModule('/phone/worklet.js');
    this.handset = new AudioWorkletNode(this.context, 'handset', { outputChannelCount: [1] });
    this.handset.port.onmessage = ({ data }) => this.onMicrophone(data);
    this.handset.connect(this.context.destination);
  }

  hear(samples) {
    this.handset?.port.postMessage({ far: samples });
  }

  hearOwn(samples) {
    this.handset?.port.postMessage({ own: samples });
  }

  silence() {
    this.handset?.port.postMessage({ clear: true });
  }

  get microphoneIsOpen() {
    return this.microphone !== null;
  }

  // Raises what the browser raises: NotAllowedError, NotFoundError, NotSupportedError.
  async openMicrophone() {
    await this.start();
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
    try {
      this.microphone = this.context.createMediaStreamSource(stream);
    } catch (error) {
      stream.getTracks().forEach((track) => track.stop());
      throw error;
    }
    this.microphone.connect(this.handset);
  }

  closeMicrophone() {
    this.microphone?.disconnect();
    this.microphone?.mediaStream.getTracks().forEach((track) => track.stop());
    this.microphone = null;
  }
}
