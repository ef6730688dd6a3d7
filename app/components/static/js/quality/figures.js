// Numbers with their intervals: how they are written, and the small bar that shows how sure they are.

import { h, plural } from "../dom.js";

export const percent = (share) => (share > 0 && share < 0.0005 ? "under 0.1 %" : `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`);

// One end of an interval; the other end's unit is said once.
const end = (value, write) => (value === null ? "no known end" : write(value));

// estimate: {value, low, high}; write: number -> text.
export const range = (estimate, write = percent) => `${end(estimate.low, write).replace(/ %$/, "")} to ${end(estimate.high, write)}`;

// A track from 0 to 1, the interval as a band, the value as a dot. Decorative: the text beside it says the same.
export function track({ value, low, high }, { goal = null, tone = "" } = {}) {
  const at = (share) => `${(100 * Math.min(1, Math.max(0, share))).toFixed(1)}%`;
  return h("div", { class: `pw-track ${tone}`, "aria-hidden": "true" },
    h("i", { class: "band", style: { left: at(low), width: at(high - low) } }),
    goal !== null && h("i", { class: "goal", style: { left: at(goal) }, title: `target ${percent(goal)}` }),
    h("i", { class: "dot", style: { left: at(value) } }));
}

// One card: what it is, how much, how sure, what it means, what it rests on.
export function card(title, meaning, estimate, { name, goal = null, unit = "audit answer", level = 0.9 } = {}) {
  if (estimate.value === null) {
    return h("section", { class: "pw-card pw-figure-card unknown", data: { figure: name, known: "no" } }, h("h3", {}, title),
      h("p", { class: "pw-big pw-muted" }, "not known yet"), h("p", { class: "pw-small pw-muted pw-sentence" }, `${estimate.reason}.`));
  }
  return h("section", { class: "pw-card pw-figure-card", data: { figure: name, known: "yes" } }, h("h3", {}, title),
    h("p", { class: "pw-big pw-num" }, percent(estimate.value), " ", h("span", { class: "pw-muted pw-range" }, range(estimate))),
    track(estimate, { goal }), h("p", { class: "pw-small" }, meaning),
    h("p", { class: "pw-small pw-muted", title: `The interval holds the truth about ${Math.round(100 * level)} times in 100.` },
      `from ${plural(estimate.answers, unit)}, ${plural(estimate.pairs, "pair")}`));
}
