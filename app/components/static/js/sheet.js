// A scrolled grid that stays fast at any size: only the rows in view exist in the page, and a frame makes only as many of
// them as it has time for. source: where its things come from (pages.js). make(thing, place) -> element.

import { h } from "./dom.js";

const SPARE_ROWS = 3;
const BUDGET_MS = 6; // of a frame, for making cells

export class Sheet {
  // cell: least width; ratio: height of a cell over its width; extra: pixels below that.
  constructor({ label, make, cell = 148, gap = 12, ratio = 1, extra = 0 }) {
    Object.assign(this, { make, cell, gap, ratio, extra, source: null, cells: new Map(), width: 0 }); // cells: place -> element
    this.sheet = h("div", { class: "pw-sheet" });
    this.window = h("div", { class: "pw-window", tabindex: "0", role: "region", "aria-label": label, onscroll: () => this.later() }, this.sheet);
    new ResizeObserver(() => requestAnimationFrame(() => this.holding(() => { this.width = 0; this.draw(Infinity); }))).observe(this.window);
  }

  // keep: stay where the reader is.
  open(source, { keep = false } = {}) {
    this.holding(() => {
      this.source = source;
      source.changed = (anew) => (anew ? this.again() : this.later());
      this.width = 0; // measure anew
      if (!keep) this.window.scrollTop = 0;
      this.draw(Infinity);
    });
  }

  nothing(message) {
    this.source = null;
    this.clear();
    this.sheet.style.height = "auto";
    this.sheet.replaceChildren(message);
  }

  clear() {
    this.cells.clear();
    this.sheet.replaceChildren();
  }

  later() { this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); }); }

  // Sizes are read when the window has changed, never while it scrolls.
  measure() {
    this.clear();
    this.width = this.sheet.clientWidth;
    this.height = this.window.clientHeight;
    this.columns = Math.max(2, Math.floor((this.width + this.gap) / (this.cell + this.gap)));
    this.side = (this.width - this.gap * (this.columns - 1)) / this.columns;
    this.tall = this.side * this.ratio + this.extra;
    this.step = this.tall + this.gap;
    this.sheet.style.height = `${this.source ? Math.ceil(this.source.total / this.columns) * this.step : 0}px`;
  }

  // budget: milliseconds for new cells; what does not fit into them is made in the next frame, what is in view first.
  draw(budget = BUDGET_MS) {
    if (!this.source) return;
    if (!this.width) this.measure();
    if (!this.width) return;
    const until = performance.now() + budget;
    const top = this.window.scrollTop;
    const within = (row) => Math.min(this.source.total, Math.max(0, row) * this.columns);
    const [seen, gone] = [within(Math.floor(top / this.step)), within(Math.ceil((top + this.height) / this.step))];
    const [first, end] = [within(Math.floor(top / this.step) - SPARE_ROWS), within(Math.ceil((top + this.height) / this.step) + SPARE_ROWS)];
    for (const [place, cell] of this.cells) if ((place < first || place >= end) && !cell.contains(document.activeElement)) { cell.remove(); this.cells.delete(place); }
    const done = [[seen, gone], [gone, end], [first, seen]].every(([from, to]) => this.fill(from, to, until));
    this.window.dataset.cells = String(this.cells.size);
    if (done) this.source.want(first, end); else this.later();
  }

  // False: time is up.
  fill(from, to, until) {
    for (let place = from; place < to; place += 1) {
      if (this.cells.has(place) || !this.source.at(place)) continue;
      if (performance.now() > until) return false;
      this.put(place);
    }
    return true;
  }

  put(place) {
    const cell = this.make(this.source.at(place), place);
    Object.assign(cell.style, { left: `${(place % this.columns) * (this.side + this.gap)}px`, top: `${Math.floor(place / this.columns) * this.step}px`, width: `${this.side}px`, height: `${this.tall}px` });
    cell.dataset.place = String(place);
    this.sheet.insertBefore(cell, this.following(place));
    this.cells.set(place, cell);
  }

  // The cell in the page that comes after a place, or null: Tab walks in reading order.
  following(place) {
    let next = null;
    for (const other of this.cells.keys()) if (other > place && (next === null || other < next)) next = other;
    return next === null ? null : this.cells.get(next);
  }

  // Make all cells anew.
  again() {
    this.holding(() => { this.clear(); this.draw(Infinity); });
  }

  // Do what makes cells anew, with the focus where it was.
  holding(act) {
    const at = this.place();
    const nth = at === null ? -1 : this.stops(at).indexOf(document.activeElement);
    act();
    if (nth >= 0) this.stops(Math.min(at, (this.source?.total ?? 0) - 1))[nth]?.focus({ preventScroll: true });
  }

  // The place that has the focus, or null.
  place() {
    const cell = this.sheet.contains(document.activeElement) && document.activeElement.closest("[data-place]");
    return cell ? Number(cell.dataset.place) : null;
  }

  // What can have the focus in a cell.
  stops(place) {
    const cell = this.cells.get(place);
    return cell ? [cell, ...cell.querySelectorAll("button, input")].filter((one) => one.matches("button, input")) : [];
  }

  // Put the focus on a place, scrolling to it if it is out of view.
  focus(place) {
    if (!this.source || !this.width || place < 0 || place >= this.source.total) return;
    const top = Math.floor(place / this.columns) * this.step;
    const { scrollTop } = this.window;
    if (top < scrollTop || top + this.step > scrollTop + this.height) this.window.scrollTop = top < scrollTop ? top : top + this.step - this.height;
    this.draw(Infinity);
    this.stops(place)[0]?.focus({ preventScroll: true });
  }

  // Arrows walk over the cells. True if the key was one of them.
  walk(event) {
    const at = Number(event.target.closest?.("[data-place]")?.dataset.place ?? Number.NaN);
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns }[event.key];
    if (Number.isNaN(at) || !by || event.ctrlKey || event.metaKey || event.altKey) return false;
    event.preventDefault();
    this.focus(at + by);
    return true;
  }
}
