// What makes two pictures a pair: conditions on metadata, all of which must hold, and what is balanced.
// It says the rule as trainer/kernels.py reads it: camera+place~5km+time~2h@day+!date.

import { h } from "../dom.js";

const KERNELS = {
  equal: [["same", "is the same"], ["other", "differs"]],
  number: [["same", "is the same"], ["other", "differs"], ["near", "is within"]],
  time: [["near", "is within"], ["day", "by the clock is within"], ["track", "goes on without a gap over"], ["same", "is the same"], ["other", "differs"]],
  place: [["near", "is within"], ["same", "is the same"], ["other", "differs"]],
};
const UNITS = { time: ["min", "h", "d", "s"], place: ["km", "m"] };
const START = { time: "60", place: "1", number: "10" };
const CONDITION = /^(!?)([^~@!+]+)(?:~([0-9.]+)([a-z]*)(?:@([a-z]+))?)?$/;

export class Relation {
  constructor({ may, changed }) {
    Object.assign(this, { may, changed, known: {}, rows: [] });
    this.list = h("div", { class: "pw-relation-list" });
    this.text = h("code", { "aria-label": "the rule as a setting" });
    this.balance = h("select", { disabled: !may, onchange: () => this.tell() });
    this.add = h("button", { type: "button", class: "pw-quiet", disabled: !may, onclick: () => { this.append({}); this.tell(); this.rows.at(-1).column.focus(); } }, "And \u2026");
    this.node = h("fieldset", { class: "pw-relation", hidden: true }, h("legend", {}, "Two pictures are a pair if"), this.list,
      h("div", { class: "pw-relation-foot" }, this.add, h("label", {}, "Every value counts alike of", this.balance), this.text));
  }

  // known: name -> equal, number, time or place. options: of the last comparison.
  offer(known, options) {
    this.known = known;
    const names = Object.keys(known);
    this.balance.replaceChildren(h("option", { value: "" }, "nothing"), ...names.filter((name) => known[name] === "equal" || name === "place").map((name) => h("option", { value: name }, name)));
    this.balance.value = options.balance ?? "";
    this.rows = [];
    this.list.replaceChildren();
    if (!names.length) return this.list.replaceChildren(h("p", { class: "pw-muted" }, "These pictures have no metadata. Import them again with --metadata."));
    for (const one of (options.by ?? "").split("+").filter(Boolean)) this.append(read(one));
    if (!this.rows.length) this.append({ column: names.find((name) => known[name] === "equal") ?? names[0] });
    return this.tell();
  }

  append({ column, kernel, amount, unit }) {
    const lock = { disabled: !this.may };
    const row = { column: h("select", { "aria-label": "column", ...lock }, Object.keys(this.known).map((name) => h("option", { value: name }, name))),
      kernel: h("select", { "aria-label": "how it is compared", ...lock }), amount: h("input", { type: "number", min: "0", step: "any", "aria-label": "how much", ...lock }), unit: h("select", { "aria-label": "unit", ...lock }) };
    const drop = h("button", { type: "button", class: "pw-quiet", "aria-label": "remove this condition", ...lock, onclick: () => { this.rows = this.rows.filter((one) => one !== row); row.node.remove(); this.tell(); } }, "\u00d7");
    row.node = h("div", { class: "pw-condition" }, h("span", { class: "pw-muted" }, this.rows.length ? "and" : ""), row.column, row.kernel, row.amount, row.unit, drop);
    const named = kernel === "track" ? "time" : column;
    if (named in this.known) row.column.value = named;
    row.column.addEventListener("change", () => { this.fit(row); this.tell(); });
    for (const part of ["kernel", "amount", "unit"]) row[part].addEventListener("input", () => this.tell());
    this.fit(row);
    if (kernel) row.kernel.value = kernel;
    if (amount) row.amount.value = amount;
    if (unit) row.unit.value = unit;
    this.rows.push(row);
    this.list.append(row.node);
  }

  // What can be said of the column that was chosen.
  fit(row) {
    const name = row.column.value, kind = this.known[name];
    const ways = KERNELS[kind].filter(([way]) => way !== "track" || name === "time");
    row.kernel.replaceChildren(...ways.map(([value, words]) => h("option", { value }, words)));
    row.unit.replaceChildren(...(UNITS[kind] ?? []).map((unit) => h("option", { value: unit }, unit)));
    row.amount.value = START[kind] ?? "";
  }

  tell() {
    this.rows.forEach((row, place) => {
      const plain = row.kernel.value === "same" || row.kernel.value === "other";
      row.amount.hidden = plain;
      row.unit.hidden = plain || !row.unit.options.length;
      row.node.firstChild.textContent = place ? "and" : "";
      row.node.lastChild.hidden = this.rows.length < 2;
    });
    const { by } = this.options();
    this.text.textContent = by ? `by=${by}` : "";
    this.changed();
  }

  // Settings of the methods that pair by metadata; none where a condition is not finished.
  options() {
    const found = this.rows.map(spoken);
    if (!found.length || found.some((one) => !one)) return {};
    return { by: found.join("+"), ...(this.balance.value ? { balance: this.balance.value } : {}) };
  }
}

function spoken({ column, kernel, amount, unit }) {
  const way = kernel.value;
  if (way === "same") return column.value;
  if (way === "other") return `!${column.value}`;
  if (!(Number(amount.value) > 0)) return "";
  return `${way === "track" ? "track" : column.value}~${Number(amount.value)}${unit.value}${way === "day" ? "@day" : ""}`;
}

function read(text) {
  const [, no, column, amount, unit, period] = CONDITION.exec(text) ?? [];
  const kernel = no ? "other" : !amount ? "same" : column === "track" ? "track" : period === "day" ? "day" : "near";
  return { column, kernel, amount, unit };
}
