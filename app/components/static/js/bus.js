// What happens elsewhere: one connection to the server's event stream, shared by every screen, plus page-wide choices.

import { address, get } from "./api.js";

const listeners = new Map(); // kind -> set of functions
let source = null;

export function on(kind, listener) {
  if (!listeners.has(kind)) listeners.set(kind, new Set());
  listeners.get(kind).add(listener);
  open();
  return () => listeners.get(kind).delete(listener);
}

export function emit(kind, payload) {
  for (const listener of listeners.get(kind) ?? []) {
    try { listener(payload); } catch (error) { console.error(error); }
  }
}

const KINDS = ["answer", "undo", "questions", "training", "version", "promotion", "job", "conflict", "name", "synthetic"];

// EventSource reconnects by itself and says where it stopped (Last-Event-ID), so nothing is missed over a restart.
function open() {
  if (source && source.readyState !== EventSource.CLOSED) return;
  source = new EventSource(address("events"));
  source.onopen = () => emit("online", {});
  source.onerror = () => {
    emit("offline", {});
    if (source.readyState === EventSource.CLOSED) setTimeout(open, 3000);
  };
  for (const kind of KINDS) source.addEventListener(kind, (event) => emit(kind, JSON.parse(event.data)));
}

// The chosen criterion: kept over reloads, known to every screen.
const CHOSEN = "pairwright/criterion";
let chosen = null;
let criteria = [];

export const criterion = () => chosen;
export const allCriteria = () => criteria;

export function choose(id) {
  chosen = criteria.find((one) => one.id === Number(id)) ?? null;
  if (chosen) localStorage.setItem(CHOSEN, String(chosen.id));
  emit("criterion", chosen);
}

export async function loadCriteria() {
  criteria = (await get("criteria")).criteria;
  const wanted = chosen?.id ?? Number(localStorage.getItem(CHOSEN));
  const found = criteria.find((one) => one.id === wanted) ?? criteria[0] ?? null;
  emit("criteria", criteria);
  if (found?.id !== chosen?.id || found?.prompt !== chosen?.prompt || !found) choose(found?.id);
  return criteria;
}

// Who is signed in; asked once.
let person = null;
export const me = () => (person ??= get("me"));
