// Only pictures whose metadata say so: column and value, as many as are wanted.

import { h } from "../dom.js";

const MOST = 8;

export class Filters {
  constructor(changed) {
    this.changed = changed;
    this.where = {};
    this.column = h("select", { "aria-label": "Column", onchange: () => this.values() });
    this.value = h("select", { "aria-label": "Value", onchange: () => this.add() });
    this.chips = h("div", { class: "pw-chips" });
    this.node = h("section", { class: "pw-card pw-search-filters", hidden: true }, h("h2", {}, "Only those where"), h("div", { class: "pw-filter-row" }, this.column, this.value), this.chips);
  }

  show(columns) {
    this.columns = columns.filter((one) => one.values.length);
    this.node.hidden = !this.columns.length;
    this.where = {};
    this.column.replaceChildren(...this.columns.map((one) => h("option", { value: one.name }, one.name)));
    this.values();
    this.draw();
  }

  values() {
    const one = this.columns.find((known) => known.name === this.column.value);
    const left = one ? one.kinds - one.values.length : 0;
    this.value.replaceChildren(h("option", { value: "" }, "is anything"), ...(one?.values ?? []).map((value) => h("option", { value: value.value }, `is ${value.value} (${value.items.toLocaleString()})`)), ...(left > 0 ? [h("option", { disabled: true }, `${left} rarer values are not listed`)] : []));
    this.value.value = this.where[this.column.value] ?? "";
  }

  add() {
    if (this.value.value === "") delete this.where[this.column.value];
    else if (Object.keys(this.where).length < MOST || this.column.value in this.where) this.where[this.column.value] = this.value.value;
    this.draw();
    this.changed();
  }

  draw() {
    const chip = ([name, value]) => h("span", { class: "pw-chip" }, `${name}: ${value}`, h("button", { type: "button", "aria-label": `Take ${name}: ${value} away`, onclick: () => { delete this.where[name]; this.values(); this.draw(); this.changed(); } }, "\u00d7"));
    this.chips.replaceChildren(...Object.entries(this.where).map(chip));
  }
}
