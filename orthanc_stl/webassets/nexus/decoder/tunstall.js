/**
 * Blocks: lists of bytes under Tunstall's code, in which each code byte stands for a word of symbols.
 *
 * A dictionary is grown from the probabilities of the symbols: the likeliest word is replaced by itself followed by
 * each symbol, until there are 256. Corto and MECO differ in how the list is kept and in the end of the growth.
 */
import { NexusError } from './errors.js';

/** @typedef {import('./reader.js').Reader} Reader */

const WORDS = 256;
/** No word is longer than the symbols by which a dictionary can have grown. */
const LONGEST = 512;

/** The words of a dictionary one after the other. One is enough: a block is decoded before the next one is read. */
const pool = new Uint8Array(2 * WORDS * LONGEST);
const start = new Uint32Array(2 * WORDS + 2 * 256);
const length = new Uint16Array(start.length);
const probability = new Uint32Array(start.length);

class Dictionary {
  /** @param {number[]} symbols @param {number[]} probabilities */
  constructor(symbols, probabilities) {
    this.symbols = symbols;
    this.chances = probabilities.map((p) => p << 8);
    this.entries = 0;
    this.used = 0;
  }

  /**
   * Append word `parent` (-1: the empty one) followed by `symbol`.
   * @param {number} parent @param {number} symbol @param {number} chance
   */
  append(parent, symbol, chance) {
    const n = this.entries;
    const size = parent < 0 ? 0 : length[parent];
    if (n >= start.length || this.used + size + 1 > pool.length) throw new NexusError('A dictionary grows without end');
    if (size > 0) pool.copyWithin(this.used, start[parent], start[parent] + size);
    pool[this.used + size] = symbol;
    start[n] = this.used;
    length[n] = size + 1;
    probability[n] = chance;
    this.used += size + 1;
    this.entries = n + 1;
    return n;
  }
}

/**
 * `a`·`b` in 16-bit fixed point; both below 2^16, so the product is below 2^32.
 * @param {number} a @param {number} b
 */
const times = (a, b) => (a * b) >>> 16;

/** How many of the likeliest symbol in a row are likelier than the second symbol. @param {number[]} chances */
function run(chances) {
  const limit = Math.floor(255 / (chances.length - 1));
  let repeats = 2;
  for (let x = times(chances[0], chances[0]); x > chances[1] && repeats < limit; repeats++) x = times(x, chances[0]);
  return repeats;
}

/**
 * The first words where one symbol is very likely: any number of it, then another. Column c holds c times symbol 0
 * and then each symbol; of the entries without another symbol only the last, longest one is live.
 * Answers the number of live words.
 * @param {Dictionary} dictionary @param {number} repeats @param {number[]} head
 */
function seedRuns(dictionary, repeats, head) {
  const { symbols, chances } = dictionary;
  const size = symbols.length;
  let zeros = -1;
  for (let column = 0; column < repeats; column++) {
    const parent = zeros;
    const chance = (/** @type {number} */ r) => (parent < 0 ? chances[r] : times(probability[parent], chances[r]));
    zeros = dictionary.append(parent, symbols[0], chance(0));
    for (let r = 1; r < size; r++) dictionary.append(parent, symbols[r], chance(r));
  }
  head[0] = (repeats - 1) * size;
  return 1 + repeats * (size - 1);
}

/** @param {number[]} head */
function likeliest(head) {
  let best = 0;
  let most = 0;
  for (let r = 0; r < head.length; r++) {
    if (probability[head[r]] > most) {
      most = probability[head[r]];
      best = r;
    }
  }
  return best;
}

/**
 * Corto's dictionary: the numbers of its entries, in order. Entry i is in queue i mod s, live from head[queue] on.
 * @param {Dictionary} dictionary
 */
function cortoWords(dictionary) {
  const { symbols, chances } = dictionary;
  const size = symbols.length;
  const head = Array.from({ length: size }, (_, r) => r);
  const repeats = run(chances);
  let count = size;
  if (repeats < 16) symbols.forEach((symbol, r) => dictionary.append(-1, symbol, chances[r]));
  else count = seedRuns(dictionary, repeats, head);
  while (count < WORDS) {
    const best = likeliest(head);
    const parent = head[best];
    const free = WORDS - count; // the word itself stays where its continuations do not all fit
    for (let r = 0; r < Math.min(size, free); r++) {
      dictionary.append(parent, symbols[r], times(probability[parent], chances[r]));
    }
    if (size < free) head[best] += size;
    count += size - 1;
  }
  const live = [];
  for (let i = 0; i < dictionary.entries; i++) if (i >= head[i % size]) live.push(i);
  return live;
}

/**
 * MECO's dictionary: s queues, a word is always split completely, words numbered queue by queue.
 * @param {Dictionary} dictionary
 */
function mecoWords(dictionary) {
  const { symbols, chances } = dictionary;
  const size = symbols.length;
  const queues = symbols.map((symbol, r) => [dictionary.append(-1, symbol, chances[r])]);
  for (let count = size; count < WORDS + 1 - size; count += size - 1) {
    const parent = /** @type {number} */ (queues[likeliest(queues.map((queue) => queue[0]))].shift());
    for (let r = 0; r < size; r++) {
      queues[r].push(dictionary.append(parent, symbols[r], times(probability[parent], chances[r])));
    }
  }
  return queues.flat();
}

/** @param {Uint8Array} codes @param {number[]} words @param {Uint8Array} out */
function expand(codes, words, out) {
  const size = out.length;
  let at = 0;
  for (let i = 0; i < codes.length; i++) {
    if (codes[i] >= words.length) throw new NexusError(`A block names word ${codes[i]} of ${words.length}`);
    if (at === size) throw new NexusError(`A block goes on after its ${size} bytes`);
    const word = words[codes[i]];
    let from = start[word];
    const end = from + Math.min(length[word], size - at);
    while (from < end) out[at++] = pool[from++];
  }
  if (at !== size) throw new NexusError(`A block has ${at} bytes where ${size} were announced`);
}

/**
 * Read a block of the Tunstall kind.
 * @param {Reader} reader
 * @param {number} most  bytes that it may have; more is an error, found before they are allocated
 * @param {boolean} meco the dictionary is MECO's
 * @returns {Uint8Array}
 */
export function tunstallBlock(reader, most, meco = false) {
  const table = reader.take(2 * reader.u8());
  const size = reader.u32();
  const codes = reader.take(reader.u32());
  if (size > most) throw new NexusError(`A block announces ${size} bytes, at most ${most} can be needed`);
  const out = new Uint8Array(size);
  if (size === 0) return out;
  if (table.length === 0) throw new NexusError('A block has bytes but no alphabet');
  if (table.length === 2) return out.fill(table[0]);
  const symbols = Array.from(table).filter((_, i) => i % 2 === 0);
  const probabilities = Array.from(table).filter((_, i) => i % 2 === 1);
  const dictionary = new Dictionary(symbols, probabilities);
  expand(codes, meco ? mecoWords(dictionary) : cortoWords(dictionary), out);
  return out;
}

/** A block that is stored as it is. @param {Reader} reader @param {number} most */
export function storedBlock(reader, most) {
  const size = reader.u32();
  if (size > most) throw new NexusError(`A block announces ${size} bytes, at most ${most} can be needed`);
  return reader.take(size);
}
