// The only place that talks to REST. A refusal becomes a Refusal whose message is the server's own sentence.

import { unpack } from "./binary.js";

const BASE = new URL("api/v1/", document.baseURI);

export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
  // Worth trying again by itself: the server is away, overloaded or out of order. 409 and the like will not get better.
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export const address = (path) => new URL(path, BASE).toString();
export const key = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function explain(reply) {
  try {
    return (await reply.json()).detail ?? reply.statusText;
  } catch {
    return `the server replied ${reply.status}`;
  }
}

const json = (reply) => (reply.status === 204 ? null : reply.json());

async function send(path, options, read = json) {
  let reply;
  try {
    reply = await fetch(address(path), { credentials: "same-origin", ...options });
  } catch {
    throw new Refusal(0, "no connection to the server");
  }
  if (!reply.ok) throw new Refusal(reply.status, await explain(reply));
  return read(reply);
}

function asked(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

export const get = (path, query = {}) => send(asked(path, query), {});

// Numbers as app/api/binary.py packs them. The browser keeps them and asks whether they still hold.
export const numbers = async (path, query = {}) => unpack(await send(asked(path, query), {}, (reply) => reply.arrayBuffer()));

// A file to keep: fetched first, so that a refusal is read here and not saved as a file.
export async function download(path, query, name) {
  const content = await send(asked(path, query), {}, (reply) => reply.blob());
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// A file as the whole body of a request: what is only looked at, not kept.
export const sendFile = (path, query, file, signal) =>
  send(asked(path, query), { method: "POST", body: file, signal, headers: { "Content-Type": "application/octet-stream" } });

export const post = (path, body = {}, { idempotency = null, keepalive = false, signal = undefined } = {}) =>
  send(path, { method: "POST", keepalive, signal, body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...(idempotency ? { "Idempotency-Key": idempotency } : {}) } });

// Uploads want a progress bar, which fetch cannot give.
export function upload(path, form, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address(path));
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = () => reject(new Refusal(0, "the connection broke while uploading"));
    request.onload = () => {
      let body = {};
      try { body = JSON.parse(request.responseText); } catch { /* not JSON: the status says enough */ }
      if (request.status < 300) resolve(body);
      else reject(new Refusal(request.status, body.detail ?? `the server replied ${request.status}`));
    };
    request.send(form);
  });
}

// Addresses of a picture at the size it is shown. media: the address a question or an item carries.
export const picture = (media, size) => `${media}?size=${size}`;
