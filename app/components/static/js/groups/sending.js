// Answers and names given on the Groups screen: kept in the browser until the server has them, sent in order, undone in
// order. The list and the open group show the same honest word about it.

import { key } from "../api.js";
import { criterion, emit, me, on } from "../bus.js";
import { h } from "../dom.js";
import { History } from "../label/history.js";
import { Outbox } from "../label/outbox.js";
import { toast } from "../toast.js";

let made = null;
export const sending = () => (made ??= me().catch(() => ({ name: "somebody", role: "viewer" })).then((person) => new Sending(person)));

class Sending {
  constructor(person) {
    this.may = person.role !== "viewer";
    this.pills = [];
    this.everSaved = false;
    this.history = new History(Infinity);
    this.outbox = new Outbox(person.name, { shelf: "outbox-groups", changed: () => this.draw(),
      saved: (entry, receipt) => this.saved(entry, receipt),
      refused: (entry, error) => { toast(`${entry.kind === "undo" ? "This undo" : "This"} was not accepted: ${error.message}`, { bad: true }); emit("sent", { refused: true }); },
      signedOut: () => this.signedOut() });
    on("online", () => this.outbox.now());
    on("criterion", (chosen) => this.history.clear(chosen?.id));
    this.history.clear(criterion()?.id);
    this.outbox.flush();
  }

  // A pill that says what is saved, for one screen.
  pill() {
    const node = h("span", { class: "pw-pill good pw-sent", role: "status", "aria-live": "polite" });
    this.pills.push(node);
    this.draw();
    return node;
  }

  draw() {
    const waiting = this.outbox?.size ?? 0;
    for (const pill of this.pills) {
      pill.className = `pw-pill pw-sent ${waiting ? "warn" : "good"}`;
      pill.textContent = waiting ? `not saved yet (${waiting})` : this.everSaved ? "saved" : "ready";
    }
  }

  // path: of the route; bodies: of the answers, taken back together; what: plain words for the undo.
  say(path, bodies, what) {
    const batch = key();
    for (const body of bodies) {
      const id = key();
      this.outbox.add({ kind: "answer", path, key: id, body });
      this.history.push({ key: id, what, batch, restore: null, criterion: body.criterion });
    }
    this.draw();
    this.outbox.flush();
  }

  saved(entry, receipt) {
    this.everSaved = true;
    if (entry.kind === "answer" && entry.path !== "groups/names") {
      this.history.saved(entry.key, receipt.id);
      this.outbox.resolve(entry.key, receipt.id);
    }
    this.draw();
    emit("sent", { path: entry.path, receipt });
  }

  async undo() {
    const last = await this.history.pop(criterion()?.id).catch(() => undefined);
    if (last === undefined) return toast("The server does not answer; try again when it is back.");
    if (!last) return toast(this.outbox.size ? "Still saving; press Z again in a moment." : "Nothing left to undo here.");
    if (last.restore) { this.history.unsaved.delete(last.key); this.history.taken.delete(last.id); last.restore(); }
    else this.takeBack(last);
    while (last.batch && this.history.stack.at(-1)?.batch === last.batch) this.takeBack(await this.history.pop());
    emit("undone", last);
    return toast(`Taken back: ${last.what ?? "your answer before that"}.`);
  }

  takeBack(one) { this.outbox.undo(one.id ? { answerId: one.id } : { answerKey: one.key }); }

  // A name is no answer: sent the same way, its undo is the name before.
  name(body, what, before) {
    const id = key();
    this.outbox.add({ kind: "answer", path: "groups/names", key: id, body });
    if (before !== null) this.history.push({ key: id, what, criterion: body.criterion, restore: () => this.name({ ...body, name: before }, "", null) });
    this.outbox.flush();
  }

  signedOut() {
    if (this.told) return;
    this.told = true;
    toast("You are signed out. What you said is kept here; sign in again to save it.", { bad: true, action: { href: "/login", text: "Sign in" } });
  }
}

// Keys of a screen: ours only while it is shown and nobody types. Arrows and Enter on the tabs belong to the tabs.
export function keys(visible, act) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !visible()) return;
    const at = event.target instanceof Element ? event.target : document.body;
    if (at.closest("input:not([type='checkbox']), textarea, select, [contenteditable='true']")) return;
    if (at.closest("[role='tablist']")) { if (/^(Arrow|Enter| )/.test(event.key)) return; at.blur(); }
    if (act(event.key.toLowerCase(), event)) { event.preventDefault(); event.stopPropagation(); }
  }, true);
}
