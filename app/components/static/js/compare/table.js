// One row a method: how many pairs it would create for a picture, and how many of them the answers find right.

import { h, plural } from "../dom.js";
import { percent, range, track } from "../quality/figures.js";

const COLUMNS = [
  ["Method"],
  ["Pulled together", "other pictures that pull each picture"],
  ["Right", "precision of positives: of the pairs it would pull together, how many belong together"],
  ["Pushed apart", "other pictures that push each picture"],
  ["False negatives", "of the pairs it would push apart, how many belong together"],
  ["\u2026by push", "the same, each pair counted by its share of the push: what looks alike pushes hardest"],
  ["Suspects right", "of the pairs it takes for false negatives and lets go, how many belong together"],
];

export function figures(compared, { answers }) {
  const rows = compared.methods.map((one) => (one.refused ? refused(one) : row(one)));
  return h("section", { class: "pw-card pw-compare-table" },
    h("div", {}, h("h2", {}, "By your answers"), h("p", { class: "pw-small pw-muted" }, said(compared, answers))),
    h("div", { class: "pw-scroll", tabindex: "0", role: "region", "aria-label": "Figures of each method" }, h("table", {}, h("thead", {}, h("tr", {}, COLUMNS.map(([text, title]) => h("th", { scope: "col", title }, text)))), h("tbody", {}, rows))));
}

function said(compared, answers) {
  const batch = `From 4 batches of ${compared.batch} pictures`;
  const judged = answers ? `, judged by ${plural(answers, "answer")}; pairs that a batch was told about are left out.` : ". Nobody has answered yet: grade some pairs below and the figures fill.";
  const learnt = compared.embedding === "served" && compared.learnt ? ` The model has learnt from ${compared.learnt.toLocaleString()} of the answers, so it may look better here than on new pictures; choose \u201cbefore any answer taught it\u201d to see without.` : "";
  return `${batch}${judged}${learnt}${compared.stale ? " Another model version is served by now: compare again." : ""}`;
}

const spoken = (name) => name.replaceAll("_", " ");
const refused = (one) => h("tr", { data: { method: one.name } }, h("th", { scope: "row" }, spoken(one.name)), h("td", { colspan: String(COLUMNS.length - 1) }, one.notes.join(" ")));
const each = (count) => (count ? (count < 9.95 ? count.toFixed(1) : Math.round(count).toLocaleString()) : "none");

function row(one) {
  return h("tr", { data: { method: one.name } }, h("th", { scope: "row" }, spoken(one.name)),
    h("td", { class: "pw-num" }, each(one.each.positives)), share("precision", one.precision),
    h("td", { class: "pw-num" }, each(one.each.negatives)), share("false", one.false, "bad"), share("false_push", one.false_push, "bad"), share("found", one.found));
}

function share(name, figure, tone = "") {
  const data = { figure: name, known: String(figure.known) };
  if (!figure.pairs) return h("td", { data, class: "pw-muted" }, "\u2013");
  if (figure.value === null) return h("td", { data, class: "pw-muted pw-small" }, "no pair graded");
  return h("td", { data, class: "pw-share", title: `${figure.known} of ${figure.pairs} drawn pairs are known; 90 % interval` },
    h("span", {}, h("b", { class: "pw-num" }, percent(figure.value)), h("span", { class: "pw-muted pw-range" }, range(figure))), track(figure, { tone }),
    h("span", { class: "pw-small pw-muted pw-num" }, `${figure.known.toLocaleString()} known`));
}
