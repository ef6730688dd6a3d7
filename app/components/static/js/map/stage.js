// The map itself: points, pan and zoom by wheel, pinch, drag or keys, what is under the pointer, and the lasso.
// Everything about the pointer is counted in pixels of the page; the points lie in units from 0 to 1, y upwards.

import { h } from "../dom.js";
import { Index } from "./geometry.js";
import { plot } from "./plot.js";

const REACH = 14; // pixels within which a point is under the pointer
const CLICK = 5; // pixels a pointer may stray and still click
const STEP = 60; // pixels an arrow key pans by
const MOST_ZOOM = 400;
const SLOW_MS = 14; // a frame that took longer is thinned while the map moves
const REST_MS = 160;

export class Stage {
  // hovered(row, x, y) or hovered(-1); clicked(row); lassoed(rows, add); toggled(row)
  constructor(call) {
    this.call = call;
    this.canvas = h("canvas", { class: "pw-map-points", "aria-hidden": "true" });
    this.glass = h("canvas", { class: "pw-map-glass", "aria-hidden": "true" });
    this.node = h("div", { class: "pw-map-stage", tabindex: "0", role: "application", "aria-roledescription": "map of pictures",
      "aria-label": "Map of pictures. Arrows move, plus and minus zoom, Enter opens the picture in the middle, Space chooses it, A chooses what is in view." }, this.canvas, this.glass);
    this.plot = plot(this.canvas);
    this.node.dataset.drawnBy = this.plot.kind;
    this.plot.onrestored = () => this.later();
    Object.assign(this, { view: { x: 0.5, y: 0.5, scale: 400 }, part: 0, count: 0, raised: new Uint32Array(0), mode: "pan", pointers: new Map(), line: null, at: -1, keyed: false, every: 1, restless: 0 });
    this.listen();
    new ResizeObserver(() => this.resize()).observe(this.node);
  }

  listen() {
    const { node } = this;
    node.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    node.addEventListener("pointerdown", (event) => this.down(event));
    node.addEventListener("pointermove", (event) => this.move(event));
    node.addEventListener("pointerup", (event) => this.up(event));
    node.addEventListener("pointercancel", (event) => this.up(event, true));
    node.addEventListener("pointerleave", () => { if (!this.pointers.size) this.hover(-1); });
    node.addEventListener("keydown", (event) => this.key(event));
    node.addEventListener("dblclick", (event) => this.zoom(2, ...this.spot(event)));
    node.addEventListener("blur", () => { this.keyed = false; this.hover(-1); this.later(); });
  }

  // from, to: [x, y] Float32Arrays; part: where between them. keep: whether the view stays.
  show(from, to, keep = false) {
    Object.assign(this, { from, to, count: from[0].length });
    this.plot.points(from, to);
    this.settle();
    if (!keep) this.fit();
    this.later();
  }

  tint(bytes) { this.tints = bytes; this.plot.tints(bytes); this.later(); }

  raise(rows) { this.raised = Uint32Array.from(rows); this.later(); }

  // 0: every point where it is in `from`, 1: in `to`.
  moveTo(part) {
    this.part = part;
    this.index = null;
    this.restless = performance.now() + REST_MS;
    this.later();
  }

  // Positions as they are drawn now, and an index of them; made when first needed after they moved.
  settle() {
    this.index = null;
    clearTimeout(this.idle);
    this.idle = setTimeout(() => this.sorted, 300); // before the pointer first needs it
  }

  get sorted() {
    if (this.index) return this.index;
    const mix = (axis) => (this.part === 0 ? this.from[axis] : this.part === 1 ? this.to[axis] : this.from[axis].map((value, i) => value + (this.to[axis][i] - value) * this.part));
    return (this.index = new Index(mix(0), mix(1)));
  }

  shown(row) { return !this.tints || this.tints[4 * row + 3] > 0; }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.node;
    if (!width || !height) return;
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const first = !this.width;
    Object.assign(this, { width, height, ratio });
    for (const canvas of [this.canvas, this.glass]) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
    if (first) this.fit();
    this.draw();
    this.call.resized?.(first);
  }

  // All of it in view.
  fit() {
    if (!this.width) return;
    this.view = { x: 0.5, y: 0.5, scale: Math.min(this.width, this.height) * 0.94 };
    this.home = this.view.scale;
    this.later();
  }

  later() { this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); }); }

  get size() {
    const base = this.count > 50_000 ? 2.4 : this.count > 10_000 ? 3.4 : this.count > 2000 ? 5 : 8;
    return Math.min(base * (this.view.scale / (this.home || 1)) ** 0.35, 16) * (this.ratio || 1);
  }

  draw() {
    if (!this.width || !this.count) return;
    const began = performance.now();
    const scaled = { x: this.view.x, y: this.view.y, scale: this.view.scale * this.ratio };
    const every = this.plot.kind === "canvas" && performance.now() < this.restless ? this.every : 1;
    this.plot.draw(scaled, this.part, this.size, this.raised, every);
    this.mark();
    const took = performance.now() - began;
    this.node.dataset.drawn = took.toFixed(2);
    if (this.plot.kind === "canvas") this.pace(took, every);
  }

  // A slow machine draws each nth point while the map moves, and all of them as soon as it rests.
  pace(took, every) {
    if (took > SLOW_MS && this.every < 16) this.every = Math.max(this.every, every) * 2;
    else if (took < SLOW_MS / 4 && this.every > 1 && every > 1) this.every /= 2;
    clearTimeout(this.rest);
    if (every > 1) this.rest = setTimeout(() => { this.restless = 0; this.later(); }, REST_MS);
  }

  // What lies over the points: the lasso, a ring round the point in question, a cross in the middle while keys are used.
  mark() {
    const pen = this.glass.getContext("2d");
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    const ink = getComputedStyle(this.node);
    pen.strokeStyle = ink.getPropertyValue("--pw-ink");
    if (this.at >= 0) {
      const [x, y] = this.where(this.at);
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(x, y, this.size / this.ratio / 2 + 4, 0, 7);
      pen.stroke();
    }
    if (this.keyed) {
      pen.lineWidth = 1.5;
      pen.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) { pen.moveTo(this.width / 2 + 5 * dx, this.height / 2 + 5 * dy); pen.lineTo(this.width / 2 + 14 * dx, this.height / 2 + 14 * dy); }
      pen.stroke();
    }
    if (!this.line) return;
    pen.beginPath();
    for (const [x, y] of this.line) pen.lineTo(x, y);
    pen.closePath();
    pen.fillStyle = `color-mix(in srgb, ${ink.getPropertyValue("--pw-accent")} 16%, transparent)`;
    pen.strokeStyle = ink.getPropertyValue("--pw-accent");
    pen.lineWidth = 2;
    pen.setLineDash([6, 4]);
    pen.fill();
    pen.stroke();
    pen.setLineDash([]);
  }

  // Pixels of the page to units, and back.
  units([x, y]) { return [this.view.x + (x - this.width / 2) / this.view.scale, this.view.y - (y - this.height / 2) / this.view.scale]; }

  where(row) {
    const { x, y } = this.sorted;
    return [(x[row] - this.view.x) * this.view.scale + this.width / 2, this.height / 2 - (y[row] - this.view.y) * this.view.scale];
  }

  spot(event) {
    const box = this.node.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  under([x, y]) {
    if (!this.count) return -1;
    return this.sorted.nearest(...this.units([x, y]), REACH / this.view.scale, (row) => this.shown(row));
  }

  zoom(by, x = this.width / 2, y = this.height / 2) {
    const [ux, uy] = this.units([x, y]);
    this.view.scale = Math.max(this.home * 0.5, Math.min(this.home * MOST_ZOOM, this.view.scale * by));
    this.view.x = ux - (x - this.width / 2) / this.view.scale;
    this.view.y = uy + (y - this.height / 2) / this.view.scale;
    this.moved();
  }

  pan(dx, dy) {
    this.view.x = Math.max(-0.5, Math.min(1.5, this.view.x - dx / this.view.scale));
    this.view.y = Math.max(-0.5, Math.min(1.5, this.view.y + dy / this.view.scale));
    this.moved();
  }

  moved() {
    this.restless = performance.now() + REST_MS;
    if (this.keyed) this.hover(this.nearMiddle());
    else this.hover(-1);
    this.later();
  }

  nearMiddle() { return this.count ? this.sorted.nearest(this.view.x, this.view.y, 60 / this.view.scale, (row) => this.shown(row)) : -1; }

  hover(row) {
    if (row !== this.at) { this.at = row; this.later(); this.call.hovered(row, ...(row >= 0 ? this.where(row) : [0, 0])); }
  }

  wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.zoom(Math.exp(-Math.max(-240, Math.min(240, event.deltaY * lines)) * (event.ctrlKey ? 0.01 : 0.0022)), ...this.spot(event));
  }

  down(event) {
    if (event.button > 0) return;
    this.keyed = false;
    this.node.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.spot(event));
    this.began = this.spot(event);
    this.strayed = false;
    if (this.pointers.size > 1) { this.line = null; return; }
    if (this.mode === "lasso" || event.shiftKey) this.line = [this.began];
  }

  move(event) {
    const spot = this.spot(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) { if (event.pointerType !== "touch") { this.keyed = false; this.hover(this.under(spot)); } return; }
    if (this.pointers.size > 1) return this.pinch(event.pointerId, spot);
    this.pointers.set(event.pointerId, spot);
    if (Math.hypot(spot[0] - this.began[0], spot[1] - this.began[1]) > CLICK) this.strayed = true;
    if (this.line) {
      const last = this.line.at(-1);
      if (Math.hypot(spot[0] - last[0], spot[1] - last[1]) > 3) { this.line.push(spot); this.later(); }
    } else if (this.strayed) this.pan(spot[0] - before[0], spot[1] - before[1]);
  }

  pinch(id, spot) {
    const other = [...this.pointers].find(([one]) => one !== id)[1];
    const before = this.pointers.get(id);
    const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
    this.pointers.set(id, spot);
    this.strayed = true;
    this.pan((spot[0] - before[0]) / 2, (spot[1] - before[1]) / 2);
    this.zoom(far(spot, other) / far(before, other), (spot[0] + other[0]) / 2, (spot[1] + other[1]) / 2);
  }

  up(event, cancelled = false) {
    if (!this.pointers.delete(event.pointerId)) return;
    const line = this.line;
    this.line = null;
    this.later();
    if (cancelled) return;
    if (line && this.strayed && line.length > 2) this.lasso(line, event.ctrlKey || event.metaKey);
    else if (!this.strayed && !this.pointers.size) this.click(this.spot(event), event);
  }

  lasso(line, add) {
    const began = performance.now();
    const rows = this.sorted.inside(line.map((spot) => this.units(spot)), (row) => this.shown(row));
    this.node.dataset.lasso = (performance.now() - began).toFixed(2);
    this.call.lassoed(rows, add);
  }

  click(spot, event) {
    const row = this.under(spot);
    if (row < 0) return;
    if (event.ctrlKey || event.metaKey) this.call.toggled(row);
    else this.call.clicked(row);
  }

  // Everything that is in the window now.
  inView() {
    const [left, top] = this.units([0, 0]);
    const [right, bottom] = this.units([this.width, this.height]);
    return this.sorted.inside([[left, top], [right, top], [right, bottom], [left, bottom]], (row) => this.shown(row));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = {
      ArrowLeft: () => this.pan(STEP, 0), ArrowRight: () => this.pan(-STEP, 0), ArrowUp: () => this.pan(0, STEP), ArrowDown: () => this.pan(0, -STEP),
      "+": () => this.zoom(1.4), "=": () => this.zoom(1.4), "-": () => this.zoom(1 / 1.4), 0: () => { this.fit(); this.moved(); },
      Enter: () => this.at >= 0 && this.call.clicked(this.at), " ": () => this.at >= 0 && this.call.toggled(this.at),
      a: () => this.call.lassoed(this.inView(), false), Escape: () => (this.line ? (this.line = null, this.later()) : this.call.lassoed([], false)),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    this.keyed = true;
    this.hover(this.nearMiddle());
    act();
    this.later();
  }
}
