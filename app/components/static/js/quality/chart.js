// Pair F1 by answers: what the audits say so far, what each version scored, and where the forecast goes from here.

const NS = "http://www.w3.org/2000/svg";
const HEIGHT = 300;
const EDGE = { left: 50, right: 18, top: 14, bottom: 42 };

function node(tag, attributes, text = null) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== null) made.textContent = text;
  return made;
}

const whole = (share) => `${Math.round(100 * share)} %`;

// rows: [{x, y, low, high}], by x. Joined by straight lines.
const line = (rows, x, y) => rows.map((one, at) => `${at ? "L" : "M"}${x(one.x).toFixed(1)},${y(one.y).toFixed(1)}`).join("");
const band = (rows, x, y) => [...rows.map((one) => [one.x, one.high]), ...rows.toReversed().map((one) => [one.x, one.low])]
  .map(([at, value], place) => `${place ? "L" : "M"}${x(at).toFixed(1)},${y(value).toFixed(1)}`).join("") + "Z";

// Round steps for the axis: at most `most` of them.
function ticks(last, most) {
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].find((one) => last / one <= most) ?? last;
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, at) => at * step);
}

function frame(svg, width, last, x, y) {
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    svg.append(node("line", { x1: EDGE.left, x2: width - EDGE.right, y1: y(share), y2: y(share), class: "rule" }));
    svg.append(node("text", { x: EDGE.left - 8, y: y(share) + 4, "text-anchor": "end" }, whole(share)));
  }
  for (const at of ticks(last, width / 90)) svg.append(node("text", { x: x(at), y: HEIGHT - 22, "text-anchor": "middle" }, at.toLocaleString()));
  svg.append(node("text", { x: (EDGE.left + width - EDGE.right) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, "answers"));
}

function series(svg, rows, x, y, kind, say) {
  if (rows.length > 1) {
    svg.append(node("path", { d: band(rows, x, y), class: `band ${kind}` }));
    svg.append(node("path", { d: line(rows, x, y), class: `line ${kind}` }));
  }
  const every = kind === "ahead" ? rows.slice(-1) : rows;
  for (const one of every) {
    if (rows.length === 1) svg.append(node("line", { x1: x(one.x), x2: x(one.x), y1: y(one.low), y2: y(one.high), class: `reach ${kind}` }));
    const dot = node("circle", { cx: x(one.x), cy: y(one.y), r: 4.5, class: `dot ${kind}` });
    dot.append(node("title", {}, say(one)));
    svg.append(dot);
  }
}

// past, ahead: [{x, y, low, high}]; versions: [{x, y, version}]; target: in [0, 1]; width: in pixels, so that text stays legible.
export function chart({ past, ahead, versions, target }, width) {
  const last = Math.max(10, ...[...past, ...ahead, ...versions].map((one) => one.x));
  const x = (at) => EDGE.left + ((width - EDGE.left - EDGE.right) * at) / last;
  const y = (share) => EDGE.top + (HEIGHT - EDGE.top - EDGE.bottom) * (1 - Math.min(1, Math.max(0, share)));
  const svg = node("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, class: "pw-curve", role: "img", "aria-label": describe({ past, ahead, target }) });
  frame(svg, width, last, x, y);
  svg.append(node("line", { x1: EDGE.left, x2: width - EDGE.right, y1: y(target), y2: y(target), class: "target" }));
  svg.append(node("text", { x: width - EDGE.right, y: y(target) - 5, "text-anchor": "end", class: "target" }, `target ${whole(target)}`));
  const say = (one) => `${one.x} answers: ${whole(one.y)} (${whole(one.low)} to ${whole(one.high)})`;
  series(svg, ahead, x, y, "ahead", say);
  series(svg, past, x, y, "past", say);
  for (const one of versions) {
    const mark = node("rect", { x: x(one.x) - 4, y: y(one.y) - 4, width: 8, height: 8, class: "version", transform: `rotate(45 ${x(one.x)} ${y(one.y)})` });
    mark.append(node("title", {}, `version ${one.version}: ${whole(one.y)} on held-out pairs`));
    svg.append(mark);
  }
  return svg;
}

function describe({ past, ahead, target }) {
  const now = past.at(-1);
  const then = ahead.at(-1);
  const said = [now ? `pair F1 is ${whole(now.y)} after ${now.x} answers` : "pair F1 is not known yet"];
  if (then) said.push(`the forecast for ${then.x} answers is ${whole(then.y)}, between ${whole(then.low)} and ${whole(then.high)}`);
  return `${said.join("; ")}; the target is ${whole(target)}`;
}
