/**
 * Tunstall's code once more, word for word after the description of the format and without a thought for speed, to
 * check the decoder's dictionaries with blocks of any alphabet. Words are lists of symbols.
 */
import { Bytes } from "./bytes.mjs";

const product = (a, b) => Number((BigInt(a) * BigInt(b)) >> 16n);

export function cortoDictionary(symbols, probabilities) {
  const s = symbols.length;
  const P = probabilities.map((p) => p * 256);
  const list = [];
  const head = symbols.map((_, r) => r);
  let rep = 2;
  const limit = Math.floor(255 / (s - 1));
  for (let x = product(P[0], P[0]); x > P[1] && rep < limit; rep++) x = product(x, P[0]);
  let count = s;
  if (rep < 16) symbols.forEach((symbol, r) => list.push([P[r], [symbol]]));
  else {
    let run = 0;
    for (let c = 0; c < rep; c++) {
      const zeros = new Array(c).fill(symbols[0]);
      symbols.forEach((symbol, r) =>
        list.push(r === 0 ? null : [c === 0 ? P[r] : product(run, P[r]), [...zeros, symbol]]));
      run = c === 0 ? P[0] : product(run, P[0]);
    }
    list[(rep - 1) * s] = [run, new Array(rep).fill(symbols[0])];
    head[0] = (rep - 1) * s;
    count = 1 + rep * (s - 1);
  }
  while (count < 256) {
    let best = 0;
    for (let r = 0, most = 0; r < s; r++) if (list[head[r]][0] > most) [best, most] = [r, list[head[r]][0]];
    const [p, word] = list[head[best]];
    let cut = false;
    for (let r = 0; r < s && !cut; r++) {
      list.push([product(p, P[r]), [...word, symbols[r]]]);
      cut = count + r === 255;
    }
    if (!cut) head[best] += s;
    count += s - 1;
  }
  return list.filter((_, i) => i >= head[i % s]).map(([, word]) => word);
}

export function mecoDictionary(symbols, probabilities) {
  const s = symbols.length;
  const P = probabilities.map((p) => p * 256);
  const queues = symbols.map((symbol, r) => [[P[r], [symbol]]]);
  for (let count = s; count < 257 - s; count += s - 1) {
    let best = 0;
    for (let r = 0, most = 0; r < s; r++) if (queues[r][0][0] > most) [best, most] = [r, queues[r][0][0]];
    const [p, word] = queues[best].shift();
    symbols.forEach((symbol, r) => queues[r].push([product(p, P[r]), [...word, symbol]]));
  }
  return queues.flat().map(([, word]) => word);
}

/** A block that holds `data`, coded by the longest word that fits; the last word may be longer than what is left. */
export function tunstallBytes(data, symbols, probabilities, dictionary) {
  const out = new Bytes().u8(symbols.length);
  symbols.forEach((symbol, r) => out.u8(symbol, probabilities[r]));
  if (symbols.length === 1) return out.u32(data.length).u32(0).done();
  const codes = [];
  for (let at = 0; at < data.length; ) {
    const fits = (word) => word.slice(0, data.length - at).every((symbol, k) => symbol === data[at + k]);
    let best = -1;
    dictionary.slice(0, 256).forEach((word, i) => {
      if (fits(word) && (best < 0 || word.length > dictionary[best].length)) best = i;
    });
    if (best < 0) throw new Error("No word of the dictionary fits");
    codes.push(best);
    at += dictionary[best].length;
  }
  return out.u32(data.length).u32(codes.length).u8(...codes).done();
}
