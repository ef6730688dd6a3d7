// A small line chart of the loss, drawn as SVG, redrawn as steps arrive.

import { node } from "./svg.js";

const HEIGHT = 220;
const EDGE = { left: 46, right: 12, top: 12, bottom: 26 };

// points: [{step, loss}], by step. steps: how many there will be, for the axis. width: in pixels, so that text stays legible.
export function chart(points, steps, width) {
  const svg = node("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, class: "pw-chart", role: "img", "aria-label": describe(points) });
  if (!points.length) return svg;
  const losses = points.map((one) => one.loss);
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  const span = high - low || Math.abs(high) || 1;
  const last = Math.max(steps ?? 0, points.at(-1).step, 1);
  const x = (step) => EDGE.left + ((width - EDGE.left - EDGE.right) * step) / last;
  const y = (loss) => EDGE.top + (HEIGHT - EDGE.top - EDGE.bottom) * (1 - (loss - low) / span);
  for (const part of [0, 0.5, 1]) {
    const value = low + span * part;
    svg.append(node("line", { x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value), class: "rule" }));
    svg.append(node("text", { x: EDGE.left - 8, y: y(value) + 4, "text-anchor": "end" }, value.toFixed(2)));
  }
  const path = points.map((one, at) => `${at ? "L" : "M"}${x(one.step).toFixed(1)},${y(one.loss).toFixed(1)}`).join("");
  svg.append(node("path", { d: `${path}L${x(points.at(-1).step)},${HEIGHT - EDGE.bottom}L${x(points[0].step)},${HEIGHT - EDGE.bottom}Z`, class: "area" }));
  svg.append(node("path", { d: path, class: "line" }));
  svg.append(node("circle", { cx: x(points.at(-1).step), cy: y(losses.at(-1)), r: 4.5, class: "dot" }));
  svg.append(node("text", { x: EDGE.left, y: HEIGHT - 6 }, "step 0"));
  svg.append(node("text", { x: width - EDGE.right, y: HEIGHT - 6, "text-anchor": "end" }, `${last}`));
  return svg;
}

function describe(points) {
  if (!points.length) return "no losses yet";
  return `loss from ${points[0].loss.toFixed(3)} to ${points.at(-1).loss.toFixed(3)} in ${points.at(-1).step} steps`;
}
