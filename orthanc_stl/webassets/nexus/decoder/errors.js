/** What is wrong with a model, in one sentence. Anything else that the decoder throws is a fault of the decoder. */
export class NexusError extends Error {
  /** @param {string} sentence */
  constructor(sentence) {
    super(sentence);
    this.name = 'NexusError';
  }
}
