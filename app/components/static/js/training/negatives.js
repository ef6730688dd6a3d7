// What pushes pictures apart while the model learns, and whether that can be trusted: one card, one row of figures.

import { h } from "../dom.js";
import { legend, percent, stack } from "./mass.js";
import { spark } from "./spark.js";

export const CLAMP_LIMIT = 0.2;
const ENOUGH = 5; // audited pairs before a share is worth showing

// points: [{step, negatives}] of the run shown. steps: how many there will be. past: [{version, negatives}], oldest first.
export function negatives({ points, steps, past, width }) {
  const now = points.at(-1)?.negatives;
  if (!now) return [];
  const wide = !matchMedia("(max-width: 860px)").matches; // as in training.css
  const card = h("section", { class: "pw-card pw-push", "aria-label": "What pushes pictures apart" },
    h("div", {}, h("div", { class: "pw-live-head" }, h("h2", {}, "What pushes pictures apart"), past.at(-1)?.policy && h("span", { class: "pw-pill", title: "the negative policy of the newest version" }, past.at(-1).policy.replaceAll("_", " "))), h("p", { class: "pw-muted pw-small" }, "Each picture is pushed away from the others in its batch. Answers decide which of them, and how hard.")),
    h("div", { class: "pw-push-body" }, h("figure", { class: "pw-figure" }, stack(points, steps, Math.max(300, wide ? width * 0.54 : width - 46))), legend(now)));
  return [card, h("div", { class: "pw-tiles3" }, taken(now, past), prior(now, past), clamp(now, past))];
}

// A figure with its way over the versions: title, number, words, small line.
function tile(name, title, number, words, line, tone = "") {
  return h("section", { class: `pw-card pw-tile3 ${tone}`, data: { figure: name, tone: tone || "plain" } }, h("h3", {}, title), h("p", { class: "pw-big pw-num" }, number), line, h("p", { class: "pw-small" }, words));
}

function way(past, name, options) {
  const rows = past.map((one) => ({ x: one.version, y: one.negatives[name] })).filter((one) => Number.isFinite(one.y));
  return rows.length > 1 ? h("figure", { class: "pw-way-small" }, spark(rows, options), h("figcaption", { class: "pw-muted" }, `version ${rows[0].x} to ${rows.at(-1).x}`)) : null;
}

function taken(now, past) {
  const each = now.detected;
  const asked = now.detected_asked ?? 0;
  const right = asked && asked < ENOUGH ? ["Audits have asked about too few of them to judge that."] : asked ? [h("b", {}, `${Math.round(now.detected_precision * asked)} of ${asked}`), ` of them that audits asked about were indeed the same.`] : ["No audit has asked about one of them yet."];
  return tile("detected", "Look-alikes taken out", [each < 9.95 ? each.toFixed(1) : Math.round(each), h("span", { class: "pw-muted pw-unit" }, " for each picture")],
    ["Probably the same, so they no longer push. ", ...right], way(past, "detected", { word: "taken out per picture" }));
}

function prior(now, past) {
  const known = Number.isFinite(now.label_frequency) ? ` Answers have found ${percent(now.label_frequency)} of the pairs that belong together in the last batch.` : "";
  return tile("prior", "Hidden pairs of the same", Number.isFinite(now.tau_plus) ? percent(now.tau_plus) : "not known",
    `Estimated share of pairs nobody was asked about that belong together all the same.${known}`, way(past, "tau_plus", { word: "hidden share" }));
}

function clamp(now, past) {
  const bad = now.clamped > CLAMP_LIMIT;
  const words = bad ? "Too many. More is subtracted from their push than there is, so they learn nothing from others. Lower tau_plus, or raise the temperature."
    : now.clamped > 0 ? `More is subtracted from their push than there is. Above ${percent(CLAMP_LIMIT)} it would stop them from learning.` : "Nothing is subtracted from the push beyond what is there. Every picture learns from the others.";
  return tile("clamped", "Pictures at the clamp", [percent(now.clamped), bad && h("span", { class: "pw-pill warn" }, `above ${percent(CLAMP_LIMIT)}`)], words, way(past, "clamped", { word: "at the clamp", limit: CLAMP_LIMIT }), bad ? "warn" : "");
}
