// The chosen pictures: a grid of them, the reference they are compared with, and what can be done about them.

import { get, key, post } from "../api.js";
import { criterion, emit } from "../bus.js";
import { Grid } from "../data/grid.js";
import { h, plural } from "../dom.js";
import { say, takeBack } from "../said.js";
import { searchLike } from "../search/wish.js";
import { toast } from "../toast.js";

const PAGE = 100;
const MOST = 240; // said something about at once
const MOST_ASKED = 96;
const MOST_SEARCHED = 50;

// The browser tab the Label screen answers in, see label/queue.js.
function tab() {
  const name = "pairwright/tab";
  if (!sessionStorage.getItem(name)) sessionStorage.setItem(name, key().slice(0, 16));
  return sessionStorage.getItem(name);
}

export class Chosen {
  // call: changed(ids): the choice was changed here; cleared(); middle(ids): the id that stands for them.
  constructor({ may, call }) {
    Object.assign(this, { may, call, ids: [], anchor: null, past: [] });
    this.grid = new Grid({ title: "Chosen pictures", cell: 84, gap: 8, more: (item) => this.over(item), keys: (event, item, place) => this.pressed(event, item, place) });
    this.words = h("p", { class: "pw-small pw-muted" });
    this.same = this.button("These belong together", "same", () => this.answer("same"));
    this.different = this.button("Not the same", "different", () => this.answer("different"));
    this.label = this.button("Label these", "", () => this.ask());
    this.search = this.button("Search like these", "", () => this.look());
    this.undo = h("button", { type: "button", class: "pw-quiet", onclick: () => this.back() }, "Undo");
    this.said = h("p", { class: "pw-said pw-small", role: "status" });
    this.clear = h("button", { type: "button", class: "pw-quiet", onclick: () => this.call.cleared() }, "Clear");
    this.grid.head.append(this.clear);
    this.actions = h("div", { class: "pw-chosen-actions" }, may && [this.same, this.different], this.search, may && this.label);
    this.node = h("section", { class: "pw-chosen", "aria-label": "Chosen pictures", hidden: true }, this.grid.node, this.words, this.actions, h("div", { class: "pw-chosen-foot" }, this.said, this.undo));
    this.tell("");
  }

  button(text, tone, act) { return h("button", { type: "button", class: tone, onclick: act }, text); }

  // ids in the order they are shown; the reference stays while it is among them.
  async show(ids) {
    this.ids = ids;
    this.node.hidden = !ids.length && !this.past.length;
    this.node.dataset.chosen = String(ids.length);
    if (!ids.length) {
      this.anchor = null;
      this.grid.nothing(h("p", { class: "pw-muted pw-small" }, "Nothing chosen now."), "Chosen");
      return this.offer();
    }
    if (!ids.includes(this.anchor)) this.anchor = this.call.middle(ids);
    const list = [this.anchor, ...ids.filter((one) => one !== this.anchor)];
    this.offer();
    this.turn = (this.turn ?? 0) + 1;
    await this.grid.show({
      key: `chosen/${this.turn}`, count: list.length, title: "Chosen",
      page: async (items) => {
        const wanted = list.slice(items.length, items.length + PAGE);
        const found = wanted.length ? (await get("items/some", { ids: wanted.join(",") })).items : [];
        return { items: found, end: items.length + PAGE >= list.length };
      },
    });
  }

  offer() {
    const others = this.ids.length - 1;
    const able = others > 0 && others <= MOST && !this.busy;
    this.same.disabled = this.different.disabled = !able;
    this.label.disabled = others < 1 || others > MOST_ASKED || this.busy;
    this.search.disabled = !this.ids.length;
    const title = (most) => (others > most ? `Choose at most ${most + 1} pictures for this.` : "");
    this.same.title = this.different.title = title(MOST);
    this.label.title = title(MOST_ASKED);
    this.search.title = this.ids.length > MOST_SEARCHED ? `Searches with ${MOST_SEARCHED} of them, evenly picked.` : "";
    this.words.textContent = others < 1 ? (this.ids.length ? "Choose a second picture to say something about both." : "")
      : others > MOST ? `Too many to say something about at once: at most ${MOST + 1}.`
        : this.may ? `\u201cBelong together\u201d and \u201cnot the same\u201d are said of the outlined picture and each of the other ${others.toLocaleString()}. They are answers like any other.` : "";
    this.undo.hidden = !this.past.length;
  }

  over(item) {
    const first = item.id === this.anchor;
    const lead = h("button", { type: "button", class: "pw-over lead", "aria-label": `Compare the others with ${item.name}`, title: "Compare the others with this one", "aria-pressed": String(first), onclick: () => this.leadBy(item.id) }, "\u2605");
    const drop = h("button", { type: "button", class: "pw-over drop", "aria-label": `Leave ${item.name} out`, title: "Leave out (Delete)", onclick: () => this.drop(item.id) }, "\u00d7");
    return h("span", { class: `pw-overs${first ? " lead" : ""}` }, this.may && lead, drop);
  }

  leadBy(id) {
    this.anchor = id;
    this.show(this.ids);
  }

  drop(id) {
    if (id === this.anchor) this.anchor = null;
    this.call.changed(this.ids.filter((one) => one !== id));
  }

  pressed(event, item, place) {
    if (event.key === "Delete" || event.key === "Backspace") { this.drop(item.id); setTimeout(() => this.grid.focus(Math.max(0, place - 1)), 60); return true; }
    return false;
  }

  async answer(verdict) {
    const items = this.ids.filter((one) => one !== this.anchor);
    await this.once(async () => {
      const receipt = await say({ criterion: criterion().id, anchor: this.anchor, items, verdict, proposer: "map" });
      this.past.push(receipt);
      this.tell(`Saved: ${plural(receipt.pairs, "pair")} ${verdict === "same" ? "belong together" : "are not the same"}.`);
    });
  }

  async back() {
    await this.once(async () => {
      const receipt = this.past.at(-1);
      await takeBack(receipt);
      this.past.pop();
      this.tell(`Taken back: ${plural(receipt.pairs, "pair")}.`);
    });
  }

  // One write at a time; what could not be saved says so.
  async once(write) {
    if (this.busy) return;
    this.busy = true;
    this.tell("Saving\u2026");
    this.offer();
    try { await write(); } catch (error) { this.tell("Not saved."); toast(error.message, { bad: true }); }
    this.busy = false;
    this.offer();
  }

  tell(text) { this.said.textContent = text; }

  look() {
    const step = Math.max(1, this.ids.length / MOST_SEARCHED);
    searchLike(Array.from({ length: Math.min(MOST_SEARCHED, this.ids.length) }, (_, at) => this.ids[Math.floor(at * step)]));
    emit("tab", "Search");
  }

  async ask() {
    const items = this.ids.filter((one) => one !== this.anchor);
    await this.once(async () => {
      const { questions } = await post("questions/about", { criterion: criterion().id, anchor: this.anchor, items, tab: tab(), proposer: "map" });
      this.tell(`${plural(questions.length, "question")} on the Label screen.`);
      emit("held", criterion().id);
      emit("tab", "Label");
    });
  }
}
