// Whether the embedding gets better or collapses while a network learns: effective rank, spread, and kNN accuracy.

import { h } from "../dom.js";
import { spark } from "./spark.js";

export const RANK = 2; // below either of these an embedding says nothing, as in trainer/collapse.py
export const SPREAD = 0.1;

// points: [{step, embedding: {rank, spread, knn_accuracy}}], by step; figures that a run does not report have no tile.
export function embedding(points) {
  const tiles = [
    tile(points, "rank", "Effective rank", (value) => value.toFixed(1), RANK, "How many directions the pictures use. They spread over more as the network learns."),
    tile(points, "spread", "Spread", (value) => value.toFixed(2), SPREAD, "How much the pictures differ: 1 is as far apart as can be, 0 is all in one place."),
    tile(points, "knn_accuracy", "Right by neighbours", (value) => `${(100 * value).toFixed(1)} %`, null, "How often the nearest pictures name the right class, on a sample."),
  ];
  return tiles.filter(Boolean);
}

function tile(points, name, title, shown, floor, words) {
  const rows = points.filter((one) => Number.isFinite(one.embedding?.[name])).map((one) => ({ x: one.step, y: one.embedding[name] }));
  if (!rows.length) return null;
  const now = rows.at(-1).y;
  const bad = floor !== null && now < floor;
  const said = bad ? "The embedding collapsed: all pictures look alike to it. Lower the rate, or raise the temperature." : words;
  const line = rows.length > 1 && h("figure", { class: "pw-way-small" }, spark(rows, { word: title.toLowerCase(), unit: "reports" }), h("figcaption", { class: "pw-muted" }, `step ${rows[0].x} to ${rows.at(-1).x}`));
  return h("section", { class: `pw-card pw-tile3 ${bad ? "warn" : ""}`, data: { figure: name, tone: bad ? "warn" : "plain" } },
    h("h3", {}, title), h("p", { class: "pw-big pw-num" }, shown(now), bad && h("span", { class: "pw-pill warn" }, "collapsed")), line, h("p", { class: "pw-small" }, said));
}
