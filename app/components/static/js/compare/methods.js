// Under the table, one card a method: what it makes of a picture, and strips of its pairs to be graded.

import { picture } from "../api.js";
import { h } from "../dom.js";
import { toast } from "../toast.js";
import { Pair } from "./pair.js";

const FIRST = 12; // pairs of a strip before "show more"
const STRIPS = [
  ["positives", "Would pull together", "drawn by their pull"],
  ["push", "Would push apart", "drawn by their share of the push, so look-alikes come often"],
  ["detected", "Takes for the same and lets go", "would push otherwise"],
];

export class Methods {
  constructor({ may, grade, undo }) {
    Object.assign(this, { may, call: { grade, undo }, pairs: new Map(), notes: new Map(), drawn: "", busy: false });
    this.node = h("div", { class: "pw-compare-methods", onkeydown: (event) => this.pressed(event) });
  }

  // The same comparison again: only what the answers say of its pairs has changed, so pictures stay where they are.
  show(compared, methods) {
    if (!compared) { this.drawn = ""; this.pairs.clear(); return this.node.replaceChildren(); }
    const all = compared.methods.flatMap((one) => STRIPS.flatMap(([kind]) => one[kind].map((pair, place) => [`${one.name}/${kind}/${place}`, pair, kind])));
    const sign = JSON.stringify(all.map(([name, pair]) => [name, pair.a.id, pair.b.id]).concat([compared.methods.map((one) => [one.name, one.settings])]));
    if (sign === this.drawn) return this.judge(all, compared);
    this.drawn = sign;
    this.notes.clear();
    this.pairs = new Map(all.map(([name, pair, kind]) => [name, new Pair(pair, kind, { may: this.may, grade: (one, verdict) => this.grade(one, verdict), undo: (one) => this.undo(one) })]));
    this.node.replaceChildren(...compared.methods.filter((one) => !one.refused).map((one) => this.card(one, compared, methods.find((known) => known.name === one.name))));
    return undefined;
  }

  judge(all, compared) {
    for (const [name, pair] of all) this.pairs.get(name)?.show(pair);
    for (const one of compared.methods) this.notes.get(one.name)?.replaceChildren(one.notes.join(" "));
  }

  card(one, compared, known) {
    const set = Object.entries(one.settings).map(([key, value]) => h("span", { class: "pw-pill" }, `${key} = ${value}`));
    const sight = compared.sights.find((seen) => seen.methods.includes(one.name));
    const notes = h("p", { class: "pw-small" }, one.notes.join(" "));
    this.notes.set(one.name, notes);
    return h("section", { class: "pw-card pw-compare-method", data: { card: one.name } },
      h("header", {}, h("h2", {}, one.name.replaceAll("_", " ")), set, h("p", { class: "pw-muted" }, known?.idea ?? ""), notes),
      !one.positives.length && sight && views(sight, one.name),
      STRIPS.map(([kind, title, how]) => one[kind].length > 0 && this.strip(one, kind, title, how)));
  }

  strip(one, kind, title, how) {
    const nodes = one[kind].map((_, place) => this.pairs.get(`${one.name}/${kind}/${place}`).node);
    const list = h("div", { class: "pw-strip", role: "group", "aria-label": `${one.name}: ${title}`, data: { kind } }, nodes.slice(0, FIRST));
    const rest = nodes.slice(FIRST);
    const more = rest.length > 0 && h("button", { type: "button", class: "pw-quiet pw-more", onclick: () => { list.append(...rest); more.remove(); } }, `Show ${rest.length} more`);
    return h("div", {}, h("h3", {}, title, " ", h("span", { class: "pw-muted pw-small" }, how)), list, more);
  }

  async grade(pair, verdict) {
    await this.once(() => this.call.grade(pair.pair, verdict, pair.seconds()));
  }

  async undo(pair) {
    if (pair.pair.answer) await this.once(() => this.call.undo(pair.pair));
  }

  // One write at a time: an undo must follow its answer.
  async once(write) {
    if (this.busy) return;
    this.busy = true;
    try { await write(); } catch (error) { toast(error.message, { bad: true }); }
    this.busy = false;
  }

  // S and D grade the pair in focus and go on to the next open one; Z takes back; arrows walk.
  async pressed(event) {
    const node = event.target.closest?.(".pw-pair");
    if (!node || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const name = event.key.toLowerCase();
    const pair = [...this.pairs.values()].find((one) => one.node === node);
    const step = { arrowright: "nextElementSibling", arrowleft: "previousElementSibling" }[name];
    if (!step && !["s", "d", "z"].includes(name)) return;
    event.preventDefault();
    if (step) return node[step]?.focus();
    if (!this.may) return;
    if (name === "z") return this.undo(pair);
    if (pair.pair.verdict && !pair.pair.answer) return;
    let next = node.nextElementSibling;
    while (next && next.dataset.verdict) next = next.nextElementSibling;
    await this.grade(pair, name === "s" ? "same" : "different");
    next?.focus();
  }
}

function views(sight, name) {
  return h("div", {}, h("h3", {}, "Would pull together ", h("span", { class: "pw-muted pw-small" }, "views of one picture")),
    h("div", { class: "pw-views" }, sight.pictures.map((one) => h("figure", {},
      h("img", { class: "whole", src: picture(`/api/v1/media/${one.item}`, 256), alt: "the picture", loading: "lazy" }),
      h("span", { class: "pw-muted", "aria-hidden": "true" }, "\u2192"),
      one.views.map((view, number) => h("img", { src: view, alt: `view ${number + 1} as ${name} would see it` }))))));
}
