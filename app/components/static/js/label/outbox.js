// Answers on their way to the log. Each waits in localStorage from the key press until the server has acknowledged it,
// one key per answer, so that neither a reload nor a restart of the server nor a second tab can lose one. A retry carries
// the same idempotency key, so that none is stored twice.

import { key, post } from "../api.js";

const PAUSES_MS = [300, 700, 1500, 3000, 5000];

export class Outbox {
  // owner: user name; entries of somebody else on the same machine are left alone. changed: called after every change.
  // shelf: a screen with a box of its own, so that no two send the same entry.
  constructor(owner, { changed, saved, refused, signedOut, shelf = "outbox" }) {
    this.prefix = `pairwright/${shelf}/${owner}/`;
    this.call = { changed, saved, refused, signedOut };
    this.entries = this.read();
    this.order = 0;
    this.failures = 0;
    this.busy = false;
  }

  get size() { return this.entries.length; }

  // Whether an answer to this question waits here.
  holds(question) { return this.entries.some((one) => one.kind === "answer" && one.body.question === question); }

  read() {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(this.prefix)).sort();
    return names.map((name) => ({ name, ...JSON.parse(localStorage.getItem(name)) }));
  }

  add(entry) {
    const id = entry.key ?? key();
    const stamp = `${Date.now().toString().padStart(15, "0")}-${(this.order++).toString().padStart(6, "0")}`;
    const stored = { ...entry, key: id };
    const name = `${this.prefix}${stamp}-${id}`;
    this.write(name, stored);
    this.entries.push({ name, ...stored });
    return id;
  }

  // A full or forbidden localStorage must not stop the answer from being sent; it then lives in memory only.
  write(name, stored) {
    try { localStorage.setItem(name, JSON.stringify(stored)); } catch (error) { console.warn("answers cannot be kept over a reload:", error); }
  }

  // Stored at once, sent by the next `flush`: the key press itself does no more than this.
  keep(answerKey, body) { return this.add({ kind: "answer", key: answerKey, body }); }

  // of: {answerKey} while the answer is unsaved, or {answerId}.
  undo(of) {
    this.add({ kind: "undo", ...of });
    this.call.changed();
    this.flush();
  }

  // Send everything, oldest first, one at a time: an undo must follow its answer.
  async flush() {
    if (this.busy) return;
    this.busy = true;
    clearTimeout(this.timer);
    this.timer = null;
    try {
      while (this.entries.length) await this.first();
      this.failures = 0;
    } catch (error) {
      this.later(error);
    }
    this.busy = false;
    if (this.entries.length && !this.timer) this.flush();
  }

  async first() {
    const entry = this.entries[0];
    try {
      const receipt = await this.send(entry);
      this.failures = 0;
      this.done(entry);
      this.call.saved(entry, receipt);
    } catch (error) {
      if (error.passing || error.status === 401 || error.status === undefined) throw error;
      this.done(entry);
      this.call.refused(entry, error);
    }
  }

  send(entry) {
    if (entry.kind !== "undo") return post(entry.path ?? "answers", entry.body, { idempotency: entry.key });
    if (!entry.answerId) return Promise.resolve(null); // its answer was refused: nothing to undo
    return post(`answers/${entry.answerId}/undo`, {}, { idempotency: entry.key });
  }

  done(entry) {
    localStorage.removeItem(entry.name);
    this.entries = this.entries.filter((one) => one.name !== entry.name);
    this.call.changed();
  }

  // An undo that waits for its answer learns the answer's id here; kept, so that a reload knows it too.
  resolve(answerKey, answerId) {
    for (const entry of this.entries.filter((one) => one.kind === "undo" && one.answerKey === answerKey)) {
      entry.answerId = answerId;
      const { name, ...stored } = entry;
      this.write(name, stored);
    }
  }

  later(error) {
    if (error.status === 401) this.call.signedOut();
    else if (error.status === undefined) console.error(error);
    const pause = PAUSES_MS[Math.min(this.failures++, PAUSES_MS.length - 1)];
    this.timer = setTimeout(() => { this.timer = null; this.flush(); }, pause);
    this.call.changed();
  }

  // The server is back: do not wait for the pause to end.
  now() {
    clearTimeout(this.timer);
    this.timer = null;
    this.flush();
  }
}
