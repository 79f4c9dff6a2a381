/** A growing list of little-endian bytes, and a list of bits. */
export class Bytes {
  constructor() {
    this.parts = [];
    this.size = 0;
  }

  raw(bytes) {
    this.parts.push(Buffer.from(bytes));
    this.size += bytes.length;
    return this;
  }

  #number(size, write) {
    const buffer = Buffer.alloc(size);
    write(buffer);
    return this.raw(buffer);
  }

  u8 = (...values) => this.raw(Buffer.from(values));
  u16 = (value) => this.#number(2, (b) => b.writeUInt16LE(value));
  i16 = (value) => this.#number(2, (b) => b.writeInt16LE(value));
  u32 = (value) => this.#number(4, (b) => b.writeUInt32LE(value));
  i32 = (value) => this.#number(4, (b) => b.writeInt32LE(value));
  u64 = (value) => this.#number(8, (b) => b.writeBigUInt64LE(BigInt(value)));
  f32 = (value) => this.#number(4, (b) => b.writeFloatLE(value));
  string = (text) => this.u16(text.length + 1).raw(Buffer.from(`${text}\0`));

  pad(multiple, value = 0xaa) {
    return this.raw(Buffer.alloc((multiple - (this.size % multiple)) % multiple, value));
  }

  bits(list) {
    const words = Math.ceil(list.length / 32);
    this.u32(words).pad(4);
    for (let w = 0; w < words; w++) {
      let word = 0;
      for (let k = 0; k < 32; k++) word = word * 2 + (list[32 * w + k] ?? 0);
      this.u32(word);
    }
    return this;
  }

  done = () => Buffer.concat(this.parts);
}

export class Bits {
  constructor() {
    this.list = [];
  }

  put(value, count) {
    for (let k = count - 1; k >= 0; k--) this.list.push(Math.floor(value / 2 ** k) % 2);
  }
}
