// The search screen: what looks like this, more like these, less like those.

import { get, picture, post, sendFile } from "../api.js";
import { criterion, emit, me, on } from "../bus.js";
import { Grid } from "../data/grid.js";
import { empty, h, plural } from "../dom.js";
import { say, takeBack } from "../said.js";
import { toast } from "../toast.js";
import { Filters } from "./filters.js";
import { Query } from "./query.js";
import { taken } from "./wish.js";

const PAGE = 100;
const SIGNS = { liked: ["+", "More like this (+)", "more like"], disliked: ["\u2212", "Less like this (-)", "less like"] };
const OTHER = { liked: "disliked", disliked: "liked" };

export async function start(element) {
  const person = await me().catch(() => ({ role: "viewer" }));
  new Search(element, person);
}

class Search {
  constructor(element, person) {
    this.may = person.role !== "viewer";
    this.query = new Query({ items: (ids) => this.by({ items: ids }), text: (text) => this.by({ text }), file: (file) => this.see(file), refused: (text) => toast(text, { bad: true }) });
    this.filters = new Filters(() => this.go());
    this.grid = new Grid({ title: "Results", cell: 150, more: (item, place) => this.over(item, place), keys: (event, item) => this.pressed(event, item) });
    this.steer = h("div", { class: "pw-steer", "aria-label": "What is looked for" });
    this.save = h("input", { type: "checkbox", id: "pw-save-answers", onchange: () => this.explain() });
    this.saveText = h("span", {});
    this.saving = h("label", { class: "pw-search-save" }, this.save, this.saveText);
    this.said = h("span", { class: "pw-small pw-muted", role: "status" });
    this.undoButton = h("button", { type: "button", class: "pw-quiet", hidden: true, onclick: () => this.back() }, "Undo");
    this.foot = h("div", { class: "pw-search-foot" }, this.may && this.saving, this.said, this.undoButton);
    this.results = h("div", { class: "pw-search-results" }, this.steer, this.foot, this.grid.node);
    this.root = h("div", { class: "pw pw-search" }, h("div", { class: "pw-side" }, this.query.node, this.filters.node), this.results);
    element.replaceChildren(this.root);
    this.clear();
    on("criterion", () => this.begin());
    on("search-like", () => this.wish());
    on("promotion", (event) => { if (event.criterion === criterion()?.id) this.go(); });
    new ResizeObserver(() => this.first()).observe(this.root);
    this.begin();
  }

  begin() {
    this.ready = false;
    this.clear();
    this.first();
  }

  // What can be searched is asked when the tab is first seen.
  async first() {
    const about = criterion();
    if (this.ready || !about || !this.root.clientWidth) return;
    this.ready = true;
    try {
      const [can, { columns }] = await Promise.all([get("search", { criterion: about.id }), get("map/columns", { criterion: about.id })]);
      if (about.id !== criterion()?.id) return;
      this.able = can;
      this.query.able(can);
      this.filters.show(columns);
      this.explain();
      if (!this.wish() && !this.looking) this.idle();
    } catch (error) { this.ready = false; toast(error.message, { bad: true }); }
  }

  wish() {
    const ids = criterion() ? taken() : null;
    if (ids) this.by({ items: ids });
    return Boolean(ids);
  }

  clear() {
    Object.assign(this, { wanted: { items: [], text: "", vector: null, version: null, file: null }, liked: [], disliked: [], past: [], known: new Map() });
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = null;
    this.idle();
  }

  get looking() { return this.wanted.items.length || this.wanted.text || this.wanted.vector || this.liked.length; }

  idle() {
    this.steer.replaceChildren();
    this.foot.hidden = true;
    this.root.dataset.results = "";
    if (!criterion()) this.grid.nothing(empty("images", "Nothing to search yet", "Import pictures and add a criterion on the Data tab.", h("button", { type: "button", class: "pw-primary", onclick: () => emit("tab", "Data") }, "Go to Data")), "Results");
    else if (this.able && !this.able.version) this.grid.nothing(empty("clock", "Not yet", "The model looks at every picture once before anything can be searched."), "Results");
    else this.grid.nothing(empty("images", "What shall it look like?", "Find a picture by its name on the left, drop one of your own, or press \u201cSearch like this\u201d on any picture of the Map or Data screens."), "Results");
  }

  by(wanted) {
    const { file = null, vector = null, version = null, items = [], text = "" } = wanted;
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = file ? URL.createObjectURL(file) : null;
    Object.assign(this, { wanted: { items, text, vector, version, file }, liked: [], disliked: [] });
    this.tell("");
    this.explain();
    this.go();
  }

  // A picture of one's own: the server says how the model sees it, and forgets it.
  async see(file) {
    const turn = (this.seeing = Symbol("seeing"));
    this.steer.replaceChildren(h("span", { class: "pw-muted" }, "Looking at your picture\u2026 the first one takes some seconds."));
    try {
      const sight = await sendFile("search/picture", { criterion: criterion().id }, file);
      if (turn === this.seeing) this.by({ file, vector: sight.vector, version: sight.version });
    } catch (error) {
      if (turn !== this.seeing) return;
      toast(error.message, { bad: true });
      this.draw();
      if (!this.looking) this.idle();
    }
  }

  async go() {
    if (!this.looking || !criterion()) { this.idle(); return; }
    const turn = (this.turn = Symbol("turn"));
    const body = { criterion: criterion().id, items: this.wanted.items, text: this.wanted.text, vector: this.wanted.vector, version: this.wanted.version, liked: this.liked, disliked: this.disliked, where: { ...this.filters.where }, limit: PAGE };
    this.draw();
    this.foot.hidden = false;
    let first;
    const began = performance.now();
    try { first = await post("search", body); } catch (error) {
      if (turn !== this.turn) return;
      if (error.status === 409 && this.wanted.file) { this.see(this.wanted.file); return; }
      this.grid.nothing(empty("images", "Nothing could be found", error.message), "Results");
      return;
    }
    if (turn !== this.turn) return;
    this.root.dataset.took = (performance.now() - began).toFixed(1);
    this.look(first.results);
    if (!first.total) { this.grid.nothing(empty("images", "Nothing is left", "No other picture has these values. Take a filter away."), "Results"); this.root.dataset.results = "0"; return; }
    this.grid.show({ key: turn, count: first.total, title: "Most alike first", page: (items) => this.page(body, first, items) },
      first.total < first.among - body.items.length - body.liked.length - body.disliked.length ? `the first ${first.total.toLocaleString()} of ${first.among.toLocaleString()}` : plural(first.total, "picture"));
    this.root.dataset.results = String(first.total);
  }

  async page(body, first, items) {
    const found = items.length ? await post("search", { ...body, after: items.length }) : first;
    this.look(found.results);
    const more = found.results.map((one) => ({ ...one.item, cosine: one.cosine }));
    return { items: more, end: !more.length || items.length + more.length >= first.total };
  }

  look(results) { for (const one of results) this.known.set(one.item.id, one.item); }

  over(item) {
    const mark = (kind) => h("button", { type: "button", class: `pw-over ${kind}`, title: SIGNS[kind][1], "aria-label": `${SIGNS[kind][2]} ${item.name}`, tabindex: "-1", onclick: () => this.mark(item, kind) }, SIGNS[kind][0]);
    return h("span", { class: "pw-overs pw-found" }, mark("liked"), mark("disliked"), h("span", { class: "pw-cosine pw-num" }, `${Math.round(100 * item.cosine)} %`));
  }

  pressed(event, item) {
    const kind = { "+": "liked", "=": "liked", "-": "disliked" }[event.key];
    if (!kind) return false;
    this.mark(item, kind);
    return true;
  }

  // Marked once: it steers. Marked on the other side: it changes sides.
  async mark(item, kind) {
    this.known.set(item.id, item);
    this[OTHER[kind]] = this[OTHER[kind]].filter((one) => one !== item.id);
    if (!this[kind].includes(item.id)) this[kind].push(item.id);
    const about = this.anchor;
    const keep = this.save.checked && about !== null && this.may;
    this.refocus = true;
    await Promise.all([this.go(), keep && this.answer(about, item.id, kind === "liked" ? "same" : "different")]);
    if (this.refocus) { this.refocus = false; setTimeout(() => { if (document.activeElement === document.body) this.grid.focus(0); }, 120); }
  }

  unmark(id, kind) {
    this[kind] = this[kind].filter((one) => one !== id);
    this.go();
  }

  // The one picture of the collection that answers can be about.
  get anchor() { return this.wanted.items.length === 1 ? this.wanted.items[0] : null; }

  explain() {
    const able = this.anchor !== null;
    this.save.disabled = !able;
    if (!able) this.save.checked = false;
    this.saveText.textContent = able ? "Also save + and \u2212 as answers: same as, or different from, the picture searched with" : "Answers can be saved when you search with one picture of the collection";
  }

  async answer(anchor, item, verdict) {
    this.tell("Saving\u2026");
    try {
      this.past.push(await say({ criterion: criterion().id, anchor, items: [item], verdict, proposer: "search" }));
      this.tell(`Saved: ${verdict}. ${plural(this.past.length, "answer")} here.`);
    } catch (error) { this.tell("Not saved."); toast(error.message, { bad: true }); }
  }

  async back() {
    const receipt = this.past.pop();
    if (!receipt) return;
    try { await takeBack(receipt); this.tell("Taken back."); } catch (error) { this.past.push(receipt); toast(error.message, { bad: true }); }
    this.undoButton.hidden = !this.past.length;
  }

  tell(text) {
    this.said.textContent = text;
    this.undoButton.hidden = !this.past.length;
  }

  // What is looked for, as pictures: the query, then what steers it.
  async draw() {
    const turn = (this.drawing = Symbol("drawing"));
    const missing = [...this.wanted.items, ...this.liked, ...this.disliked].filter((id) => !this.known.has(id));
    if (missing.length) {
      const { items } = await get("items/some", { ids: missing.join(",") }).catch(() => ({ items: [] }));
      for (const one of items) this.known.set(one.id, one);
      if (turn !== this.drawing) return;
    }
    const shot = (id, kind, drop) => {
      const one = this.known.get(id) ?? { id, name: `picture ${id}`, media: `/api/v1/media/${id}` };
      return h("span", { class: `pw-steer-shot ${kind}` }, h("img", { src: picture(one.media, 128), alt: one.name, title: one.name }), drop && h("button", { type: "button", "aria-label": `Take ${one.name} away`, onclick: drop }, "\u00d7"));
    };
    const part = (words, nodes) => nodes.length > 0 && h("div", { class: "pw-steer-part" }, h("span", { class: "pw-small pw-muted" }, words), nodes);
    const own = this.address ? [h("span", { class: "pw-steer-shot" }, h("img", { src: this.address, alt: "your picture" }))] : [];
    const said = this.wanted.text ? [h("q", { class: "pw-steer-words" }, this.wanted.text)] : [];
    this.steer.replaceChildren(...[
      part("Like", [...said, ...own, ...this.wanted.items.map((id) => shot(id, "query", null))]),
      part("more like", this.liked.map((id) => shot(id, "liked", () => this.unmark(id, "liked")))),
      part("less like", this.disliked.map((id) => shot(id, "disliked", () => this.unmark(id, "disliked")))),
      h("button", { type: "button", class: "pw-quiet", onclick: () => this.clear() }, "Clear"),
    ].filter(Boolean));
  }
}
