// Who pushes: the shares of the negative mass by step, stacked to 100 %, and what each of them means.

import { h } from "../dom.js";
import { node } from "./svg.js";

export const PARTS = [
  ["unlabelled", "Nobody was asked", "pushes by how likely it is different"],
  ["confirmed", "Called different", "pushes twice as hard: somebody said so"],
  ["synthetic", "Made up", "mixed from hard ones, to learn from"],
  ["removed", "Taken out", "joined by answers, or probably the same"],
];
const HEIGHT = 190;
const EDGE = { left: 44, right: 2, top: 6, bottom: 24 };

export const percent = (share) => (share > 0 && share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`);
const share = (one, name) => one.negatives[name] ?? 0;

// points: [{step, negatives}], by step. steps: how many there will be. width: in pixels, so that text stays legible.
export function stack(points, steps, width) {
  const svg = node("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, class: "pw-chart pw-stack", role: "img", "aria-label": describe(points) });
  const first = points.length > 1 ? points[0].step : 0;
  const last = Math.max(steps ?? 0, points.at(-1)?.step ?? 1, first + 1);
  const x = (step) => EDGE.left + ((width - EDGE.left - EDGE.right) * (step - first)) / (last - first);
  const y = (part) => EDGE.top + (HEIGHT - EDGE.top - EDGE.bottom) * (1 - part);
  const drawn = points.length === 1 ? [{ ...points[0], step: first }, { ...points[0], step: last }] : points;
  svg.append(node("rect", { x: EDGE.left, y: y(1), width: width - EDGE.left - EDGE.right, height: y(0) - y(1), rx: 8, class: "ground" }));
  const below = drawn.map(() => 0);
  for (const [name] of PARTS) {
    const upper = drawn.map((one, at) => [x(one.step), y(below[at] + share(one, name))]);
    const lower = drawn.map((one, at) => [x(one.step), y(below[at])]).reverse();
    drawn.forEach((one, at) => { below[at] += share(one, name); });
    if (drawn.some((one) => share(one, name) > 0)) svg.append(node("path", { d: `M${[...upper, ...lower].map((at) => at.map((n) => n.toFixed(1)).join(",")).join("L")}Z`, class: `part ${name}` }));
  }
  for (const part of [0, 0.5, 1]) svg.append(node("text", { x: EDGE.left - 8, y: y(part) + 4, "text-anchor": "end" }, `${100 * part} %`));
  svg.append(node("text", { x: EDGE.left, y: HEIGHT - 5 }, `step ${first}`), node("text", { x: width - EDGE.right, y: HEIGHT - 5, "text-anchor": "end" }, `${last}`));
  return svg;
}

function describe(points) {
  if (!points.length) return "nothing has pushed yet";
  return `share of the push: ${PARTS.map(([name, title]) => `${title.toLowerCase()} ${percent(share(points.at(-1), name))}`).join(", ")}`;
}

// What the colours are, how much each is now, in words.
export function legend(now) {
  const used = PARTS.filter(([name]) => name !== "synthetic" || now.synthetic > 0);
  return h("dl", { class: "pw-mass" }, used.map(([name, title, meaning]) =>
    h("div", { class: name, data: { part: name } }, h("dt", {}, h("i", { "aria-hidden": "true" }), title),
      h("dd", { class: "pw-num" }, percent(now[name] ?? 0)), h("dd", { class: "pw-muted pw-small" }, meaning))));
}
