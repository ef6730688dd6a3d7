// A figure's way from version to version: a line the size of a word.

import { node } from "./svg.js";

const WIDTH = 260;
const HEIGHT = 44;
const EDGE = 6;

// rows: [{x, y}], oldest first. limit: a level to stay below, always in view.
export function spark(rows, { word, limit = null, unit = "versions" }) {
  const svg = node("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "pw-spark", role: "img", "aria-label": describe(rows, word, unit), preserveAspectRatio: "none" });
  const high = Math.max(...rows.map((one) => one.y), limit === null ? 0 : limit * 1.25, 1e-9);
  const x = (at) => EDGE + ((WIDTH - 2 * EDGE) * at) / Math.max(rows.length - 1, 1);
  const y = (value) => HEIGHT - EDGE - ((HEIGHT - 2 * EDGE) * value) / high;
  svg.append(node("line", { x1: 0, x2: WIDTH, y1: y(0), y2: y(0), class: "ground" }));
  if (limit !== null) svg.append(node("line", { x1: 0, x2: WIDTH, y1: y(limit), y2: y(limit), class: "limit" }));
  if (rows.length > 1) svg.append(node("path", { d: rows.map((one, at) => `${at ? "L" : "M"}${x(at).toFixed(1)},${y(one.y).toFixed(1)}`).join(""), class: "line" }));
  return svg;
}

function describe(rows, word, unit) {
  if (rows.length < 2) return `${word}: one lesson so far`;
  const text = (value) => (value < 1 ? value.toFixed(2) : value.toFixed(1));
  return `${word}, from ${text(rows[0].y)} to ${text(rows.at(-1).y)} over ${rows.length} ${unit}`;
}
