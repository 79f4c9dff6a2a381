/**
 * Bounded reading of little-endian bytes, and of bits from the most significant down.
 *
 * Every length is checked against what is left before anything is allocated: the bytes come from a file that
 * anybody may have written.
 */
import { NexusError } from './errors.js';

export class Reader {
  /** @param {Uint8Array} bytes a whole stream; alignment is relative to its start */
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  get left() {
    return this.bytes.length - this.at;
  }

  /** The position before `count` bytes, which are then read. @param {number} count */
  skip(count) {
    if (count > this.left) {
      throw new NexusError(`The data end early: ${count} more bytes are announced, ${this.left} are left`);
    }
    const from = this.at;
    this.at += count;
    return from;
  }

  u8() {
    return this.bytes[this.skip(1)];
  }

  i8() {
    return this.view.getInt8(this.skip(1));
  }

  u16() {
    return this.view.getUint16(this.skip(2), true);
  }

  u32() {
    return this.view.getUint32(this.skip(4), true);
  }

  i32() {
    return this.view.getInt32(this.skip(4), true);
  }

  f32() {
    return this.view.getFloat32(this.skip(4), true);
  }

  /** A view, not a copy, of the next `count` bytes. @param {number} count */
  take(count) {
    const from = this.skip(count);
    return this.bytes.subarray(from, from + count);
  }

  /** A string: its length with the terminating NUL, then the bytes. */
  string() {
    const bytes = this.take(this.u16());
    return new TextDecoder().decode(bytes).replace(/\0.*$/s, '');
  }

  /** A stream of bits: the number of words, padding to 4 bytes, the words (32 or 64 bits each, little-endian). */
  bits(wordBits = 32) {
    const words = this.u32();
    this.skip(-this.at & 3);
    const count = words * (wordBits / 32);
    const from = this.skip(4 * count);
    const values = new Uint32Array(count);
    const flip = wordBits === 64 ? 1 : 0; // of a 64-bit word the high half is read first and stored last
    for (let i = 0; i < count; i++) values[i ^ flip] = this.view.getUint32(from + 4 * i, true);
    return new BitReader(values);
  }
}

export class BitReader {
  /** @param {Uint32Array} words read from the most significant bit of each down */
  constructor(words) {
    this.words = words;
    this.at = 0;
    this.end = 32 * words.length;
  }

  /** `need(count)` before a loop of `read`s is all the checking there is in it. @param {number} count */
  need(count) {
    if (count > this.end - this.at) {
      throw new NexusError(
        `The bit stream ends early: ${count} more bits are announced, ${this.end - this.at} are left`);
    }
  }

  /** The next `count` bits (0 to 32) as an unsigned number. `need` has been called for them. @param {number} count */
  read(count) {
    if (count === 0) return 0;
    const word = this.at >>> 5;
    const offset = this.at & 31;
    this.at += count;
    const high = (this.words[word] << offset) >>> (32 - count);
    const beyond = offset + count - 32;
    return beyond > 0 ? (high | (this.words[word + 1] >>> (32 - beyond))) >>> 0 : high;
  }

  /** The same with the check. @param {number} count */
  checked(count) {
    this.need(count);
    return this.read(count);
  }
}
