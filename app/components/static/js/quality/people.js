// Who answers how reliably: one row for each source of answers.

import { h } from "../dom.js";
import { percent, range, track } from "./figures.js";

const of = ([right, all]) => (all ? `${right} of ${all}` : "\u2013");

function row(one) {
  const error = { value: one.error_rate, low: one.low, high: one.high };
  const scale = (share) => Math.min(1, 2 * share); // half wrong is a coin: the end of the track
  return h("tr", { data: { source: one.source } }, h("th", { scope: "row" }, one.source), h("td", { class: "pw-num" }, one.answers.toLocaleString()),
    h("td", { class: "pw-num" }, percent(error.value), " ", h("span", { class: "pw-muted pw-range" }, range(error))),
    h("td", { class: "pw-track-cell" }, track({ value: scale(error.value), low: scale(error.low), high: scale(error.high) }, { tone: error.low > 0.1 ? "bad" : "" })),
    h("td", { class: "pw-num", title: "answers that all the others, or known pairs, settle: how many agree" }, of(one.gold)),
    h("td", { class: "pw-num", title: "pairs answered again by the same person: how often the answer stayed" }, of(one.retest)));
}

export function people(all) {
  const head = ["Who", "Pair verdicts", "Wrong", "", "Confirmed", "Kept to it"];
  return h("section", { class: "pw-card pw-people" }, h("h2", {}, "Who answers how reliably"),
    h("p", { class: "pw-muted pw-small" }, "How often the groups that explain all answers best overrule somebody, with its interval. Answers of people who are often wrong weigh less."),
    all.length ? h("div", { class: "pw-scroll", tabindex: "0", role: "region", "aria-label": "Each annotator's figures" }, h("table", {}, h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, all.map(row))))
      : h("p", {}, "Nobody has answered yet."));
}
