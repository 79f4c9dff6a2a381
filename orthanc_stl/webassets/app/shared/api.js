/**
 * Requests to Orthanc. Addresses are relative to this module's own place, /stl/app/shared/, so they work behind a
 * reverse proxy with any prefix, from our pages and from Orthanc Explorer alike. `?token=` of the page goes along as a
 * bearer.
 */

/** Without the version that the addresses of our files have: rest/asset_versions.py. */
const HERE = import.meta.url.replace(/\/app\/~[0-9a-f]+\/app\/shared\//, '/app/shared/');
const ROOT = new URL('../../../', HERE);
const APP = new URL('../', HERE);

const token = new URLSearchParams(globalThis.location?.search ?? '').get('token') ?? globalThis.history?.state?.token
  ?? null;

/** Takes the token out of the address bar, where others see it and copy it. A reload of the same tab still has it. */
export function hideToken() {
  const url = new URL(location.href);
  if (!url.searchParams.has('token')) return;
  url.searchParams.delete('token');
  history.replaceState({ ...history.state, token }, '', url);
}

/** @param {object} state @returns {object} a state of the browser's history that keeps the token for a reload */
export const stateWithToken = (state = {}) => (token ? { ...state, token } : state);

/** What each of our pages does first. Orthanc Explorer 2 opens them all in one window of the name "undefined". */
export function startPage() {
  hideToken();
  window.name = '';
}

/** @param {string} path below Orthanc's root, without a leading slash @returns {string} */
export const orthancUrl = (path) => new URL(path, ROOT).href;

/**
 * @param {string} page "three.html" @param {Record<string, string>} query
 * @returns {string} our page, with the token and the language that this one was asked for
 */
export function pageUrl(page, query) {
  const url = new URL(page, APP);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  if (token) url.searchParams.set('token', token);
  const language = new URLSearchParams(location.search).get('lang');
  if (language) url.searchParams.set('lang', language);
  return url.href;
}

/** @returns {Record<string, string>} what each request carries */
export const authorization = () => (token ? { Authorization: `Bearer ${token}` } : {});

/**
 * A request that failed; `message` is a sentence for a person, `status` the HTTP status or 0 when nothing came back.
 */
export class RequestFailed extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** @type {Record<number, string>} */
const BY_STATUS = {
  401: 'You are not signed in, or the link has expired (401). Sign in to Orthanc or ask for a new link.',
  403: 'You have no permission for this (403). The administrator of this Orthanc decides who may do it.',
  404: 'Orthanc does not know this (404). It may have been deleted.',
  413: 'This is larger than this Orthanc accepts (413).',
  502: 'The server in front of Orthanc got no answer from it (502).',
  503: 'Orthanc is busy (503). Please try again in a moment.',
};

/**
 * @param {number} status @param {string} body the answer's text
 * @returns {string} the server's own sentence if it gave one
 */
export function sentence(status, body) {
  try {
    const answer = JSON.parse(body);
    if (typeof answer.Details === 'string' && answer.Details) return answer.Details;
    if (!(status in BY_STATUS) && typeof answer.Message === 'string'
      && answer.Message) return `${answer.Message} (${status})`;
  } catch {
    // Not JSON: an empty answer, or a page of a proxy in between.
  }
  return BY_STATUS[status] ?? `The server answered with an error (${status}).`;
}

/**
 * @param {string} path @param {RequestInit} options @returns {Promise<Response>} an answer that is ok
 * @throws {RequestFailed}
 */
export async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(orthancUrl(path), { ...options, headers: { ...options.headers, ...authorization() } });
  } catch (error) {
    if (/** @type {Error} */ (error).name === 'AbortError') throw error;
    throw new RequestFailed('Orthanc did not answer. It may have stopped, or the network is down.', 0);
  }
  if (!response.ok) throw new RequestFailed(sentence(response.status, await response.text()), response.status);
  return response;
}

/** @param {string} path @returns {Promise<any>} */
export const getJson = async (path) => (await request(path)).json();

/**
 * @param {string} path @param {BlobPart} body JSON text, or a Blob of it
 * @param {{onProgress?: (fraction: number) => void, signal?: AbortSignal}} options progress of the upload
 * @returns {Promise<any>} the answer's JSON
 * fetch tells nothing about an upload under way, so this is the older XMLHttpRequest.
 */
export function postJson(path, body, { onProgress = () => {}, signal } = {}) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open('POST', orthancUrl(path));
    xhr.setRequestHeader('Content-Type', 'application/json');
    for (const [name, value] of Object.entries(authorization())) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    xhr.onload = () => {
      if (xhr.status < 200 || xhr.status > 299) reject(new RequestFailed(sentence(xhr.status, xhr.responseText),
        xhr.status));
      else resolve(JSON.parse(xhr.responseText));
    };
    xhr.onerror = () => {
      reject(new RequestFailed('The upload broke off. Orthanc may have stopped, or the network is down.', 0));
    };
    xhr.onabort = () => reject(new DOMException('Cancelled', 'AbortError'));
    signal?.addEventListener('abort', () => xhr.abort());
    xhr.send(body);
  });
}

const PIECE = 3 << 20; // a multiple of 3 bytes, so that pieces of base64 can be put one behind the other

/**
 * @param {Blob} blob @returns {Promise<Blob>} its base64 text
 * In pieces, each encoded by the browser itself: no string of the whole file, and the page stays alive.
 */
export async function base64(blob) {
  const parts = [];
  for (let start = 0; start < blob.size; start += PIECE) {
    const url = await new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => {
        reject(new Error('The file could not be read. It may have been moved or changed meanwhile.'));
      };
      reader.readAsDataURL(blob.slice(start, start + PIECE));
    });
    parts.push(new Blob([url.slice(url.indexOf(',') + 1)]));
  }
  return new Blob(parts);
}

/**
 * @param {string} field the field that gets the file @param {string} prefix of its value ("data:...;base64,")
 * @param {Blob} file @param {object} rest the other fields
 * @returns {Promise<Blob>} a JSON body, put together without ever being one string
 */
export async function bodyWithFile(field, prefix, file, rest) {
  const others = JSON.stringify(rest).slice(1);
  return new Blob([`{${JSON.stringify(field)}:"${prefix}`, await base64(file),
    `"${others === '}' ? '' : ','}${others}`]);
}

/**
 * @param {string} prefix of each file ("data:...;base64,") @param {File[]} files @param {object} rest the other fields
 * @returns {Promise<Blob>} a JSON body with the files and their names in `Contents`
 */
export async function bodyWithFiles(prefix, files, rest) {
  const parts = [];
  for (const file of files) parts.push(await bodyWithFile('Content', prefix, file, { FileName: file.name }), ',');
  const others = JSON.stringify(rest).slice(1);
  return new Blob(['{"Contents":[', ...parts.slice(0, -1), `]${others === '}' ? '' : ','}${others}`]);
}
