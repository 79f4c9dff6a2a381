/**
 * The bytes of a model on the server, by ranges. The first request brings the beginning of the file, where the index
 * is (and often the coarsest level already). A server that answers with everything instead is taken at its word:
 * what is asked for is handed out as soon as it has arrived.
 */

import { RequestFailed, sentence } from '../../app/shared/api.js';

/** Of the first request: 0.3 s at 1 Mbit/s, and the index of a model of 700 nodes. */
const PREFIX = 32 << 10;
/** A server without ranges makes us keep the file: no more than this. */
const LARGEST_WHOLE = 1 << 30;

export class Source {
  /** @param {string} url @param {Record<string, string>} headers of each request */
  constructor(url, headers) {
    this.url = url;
    this.headers = headers;
    /** Of the whole file, in bytes; known once it is open. */
    this.size = 0;
    this.prefix = new Uint8Array(0);
    /** @type {Whole | null} */
    this.whole = null;
    this.received = 0;
    this.requests = 0;
  }

  /** Ask for the beginning. Afterwards `size` is known. @throws {RequestFailed} */
  async open() {
    const response = await this.#fetch(0, PREFIX);
    this.etag = response.headers.get('ETag');
    if (response.status === 200) {
      this.whole = new Whole(response, (bytes) => { this.received += bytes; });
      this.size = this.whole.size ?? (await this.whole.all()).length;
      return this;
    }
    const [, , total] = contentRange(response);
    this.size = total;
    this.prefix = new Uint8Array(await body(response));
    this.received += this.prefix.length;
    return this;
  }

  /**
   * @returns {Promise<Uint8Array<ArrayBuffer>>} a copy of bytes `begin` to `end` (exclusive) @throws {RequestFailed}
   * @param {number} begin @param {number} end
   */
  async range(begin, end) {
    if (this.whole) return this.whole.range(begin, end);
    const known = this.prefix.subarray(begin, Math.min(end, this.prefix.length));
    if (known.length === end - begin) return known.slice();
    const bytes = new Uint8Array(end - begin);
    bytes.set(known);
    bytes.set(await this.#missing(begin + known.length, end), known.length);
    return bytes;
  }

  /** @param {number} begin @param {number} end */
  async #missing(begin, end) {
    const response = await this.#fetch(begin, end);
    const etag = response.headers.get('ETag');
    if (this.etag && etag && etag !== this.etag) {
      throw new RequestFailed('The model was replaced while it was being shown. Please reload the page.', 409);
    }
    let bytes = new Uint8Array(await body(response));
    this.received += bytes.length;
    const from = response.status === 200 ? 0 : contentRange(response)[0];
    bytes = bytes.subarray(begin - from, end - from);
    if (from > begin || bytes.length !== end - begin) {
      throw new RequestFailed('The server sent another part of the model than was asked for.', 0);
    }
    return bytes;
  }

  /** @param {number} begin @param {number} end */
  async #fetch(begin, end) {
    this.requests += 1;
    let response;
    try {
      // Chromium answers requests for one address one after the other where its cache takes part; the parts are kept
      // here anyway.
      response = await fetch(this.url, { headers: { ...this.headers, Range: `bytes=${begin}-${end - 1}` },
        cache: 'no-store' });
    } catch {
      throw new RequestFailed('Orthanc did not answer. It may have stopped, or the network is down.', 0);
    }
    if (response.status !== 200 && response.status !== 206) {
      throw new RequestFailed(sentence(response.status, await response.text()), response.status);
    }
    return response;
  }
}

/** @param {Response} response */
async function body(response) {
  try {
    return await response.arrayBuffer();
  } catch {
    throw new RequestFailed('The transfer broke off. The network may be down.', 0);
  }
}

/** @returns {number[]} first, last, total @param {Response} response */
function contentRange(response) {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get('Content-Range') ?? '');
  if (!match) throw new RequestFailed('The server sent a part of the model without saying which part it is.', 0);
  return match.slice(1).map(Number);
}

/** A body that comes as a whole, read bit by bit. */
class Whole {
  /** @param {Response} response @param {(count: number) => void} onBytes */
  constructor(response, onBytes) {
    const announced = Number(response.headers.get('Content-Length')) || 0;
    this.size = announced && !response.headers.has('Content-Encoding') ? announced : null;
    if (announced > LARGEST_WHOLE) {
      throw new RequestFailed(
        'The server does not send parts of models, and this one is too large to be loaded as a whole.', 0);
    }
    this.bytes = new Uint8Array(this.size ?? 1 << 20);
    this.filled = 0;
    /** @type {Set<{end: number, resolve: (value?: unknown) => void}>} */
    this.waiting = new Set();
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    this.finished = this.#read(reader, onBytes);
    this.finished.catch(() => {}); // told to whoever waits for a range
  }

  /** @param {ReadableStreamDefaultReader<Uint8Array>} reader @param {(count: number) => void} onBytes */
  async #read(reader, onBytes) {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        this.#append(value);
        onBytes(value.length);
        this.#tell();
      }
    } catch (error) {
      this.error = error instanceof RequestFailed ? error
        : new RequestFailed('The transfer broke off. The network may be down.', 0);
    }
    this.done = true;
    this.#tell();
    if (this.error) throw this.error;
  }

  /** @param {Uint8Array} value */
  #append(value) {
    const needed = this.filled + value.length;
    if (needed > LARGEST_WHOLE) throw new RequestFailed('This model is too large to be loaded as a whole.', 0);
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
      larger.set(this.bytes.subarray(0, this.filled));
      this.bytes = larger;
    }
    this.bytes.set(value, this.filled);
    this.filled = needed;
  }

  #tell() {
    for (const wait of this.waiting) {
      if (this.filled < wait.end && !this.done) continue;
      this.waiting.delete(wait);
      wait.resolve();
    }
  }

  async all() {
    await this.finished;
    return this.bytes.subarray(0, this.filled);
  }

  /** @param {number} begin @param {number} end */
  async range(begin, end) {
    if (this.filled < end && !this.done) await new Promise((resolve) => this.waiting.add({ end, resolve }));
    if (this.filled < end) throw this.error ?? new RequestFailed('The file ends before its last part.', 0);
    return this.bytes.slice(begin, end);
  }
}
