// What the colours mean. Every entry can be hidden, and chosen: the way to a selection without a pointer.

import { h, plural } from "../dom.js";
import { colour, NONE, quiet, rampStops } from "./palette.js";

const FIRST = 40; // entries shown before somebody asks for all of them
const EXTREME = 60;

export class Legend {
  // toggled(): what is hidden has changed. select(code): choose an entry's items; extreme(high): the items at one end.
  constructor(call) {
    this.call = call;
    this.hidden = new Set();
    this.list = h("div", { class: "pw-tints-list" });
    this.note = h("p", { class: "pw-small pw-muted", role: "status" });
    this.node = h("section", { class: "pw-tints", "aria-label": "Colours" }, this.note, this.list);
  }

  // keep: the same colouring as before, drawn anew.
  show(colours, keep = false) {
    const { header } = colours;
    if (!keep) { this.hidden.clear(); this.whole = false; }
    this.colours = colours;
    this.note.textContent = header.note ?? "";
    this.note.hidden = !header.note;
    this.list.replaceChildren(...(header.legend ? this.entries(header) : this.ramp(header)));
  }

  entries({ legend, without, kinds, by }) {
    const shown = this.whole ? legend : legend.slice(0, FIRST);
    const rows = shown.map((one, code) => this.entry(code, one.label, one.items, one.quiet ? quiet() : colour(code)));
    if (without) rows.push(this.entry(NONE, "nothing said", without, quiet()));
    const all = h("div", { class: "pw-tints-head" }, h("span", { class: "pw-muted pw-small" }, plural(kinds, by === "group" ? "group" : "kind")),
      h("button", { type: "button", class: "pw-quiet", onclick: () => this.every(true) }, "Show all"), h("button", { type: "button", class: "pw-quiet", onclick: () => this.every(false) }, "Hide all"));
    const more = legend.length > shown.length && h("button", { type: "button", class: "pw-quiet", onclick: () => { this.whole = true; this.show(this.colours, true); } }, `${legend.length - shown.length} more`);
    return [all, h("ul", {}, rows), more].filter(Boolean);
  }

  entry(code, label, items, tint) {
    const flip = (event) => {
      if (this.hidden.has(code)) this.hidden.delete(code); else this.hidden.add(code);
      event.currentTarget.setAttribute("aria-pressed", String(!this.hidden.has(code)));
      this.call.toggled();
    };
    return h("li", {}, h("button", { type: "button", class: "pw-tints-entry", "aria-pressed": String(!this.hidden.has(code)), title: `Show or hide ${label}`, onclick: flip },
      h("i", { class: "pw-swatch", style: { background: tint } }), h("span", { class: "pw-tints-label" }, label), h("span", { class: "pw-muted pw-num" }, items.toLocaleString())),
    h("button", { type: "button", class: "pw-quiet pw-tints-choose", "aria-label": `Choose ${label}`, title: `Choose these ${items.toLocaleString()}`, onclick: () => this.call.select(code) }, "Choose"));
  }

  every(shown) {
    const { legend } = this.colours.header;
    this.hidden = new Set(shown ? [] : [...legend.keys(), NONE]);
    this.show(this.colours, true);
    this.call.toggled();
  }

  ramp({ by, low, high }) {
    const said = (value) => (by === "uncertainty" ? `${Math.round(100 * value)} %` : value.toLocaleString(undefined, { maximumSignificantDigits: 4 }));
    const bar = h("div", { class: "pw-ramp", role: "img", "aria-label": `from ${said(low)} to ${said(high)}`, style: { background: `linear-gradient(90deg, ${rampStops()})` } });
    const pick = (highest, words) => h("button", { type: "button", onclick: () => this.call.extreme(highest, EXTREME) }, words);
    const most = by === "uncertainty" ? [pick(true, `Choose the ${EXTREME} least certain`)] : [pick(false, `Choose the ${EXTREME} lowest`), pick(true, `Choose the ${EXTREME} highest`)];
    return [h("div", {}, bar, h("div", { class: "pw-ramp-ends pw-num pw-muted pw-small" }, h("span", {}, said(low)), h("span", {}, said(high)))), h("div", { class: "pw-ramp-picks" }, most)];
  }
}
