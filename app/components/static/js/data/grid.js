// A grid of thumbnails that stays fast at any size: only the rows in view exist in the page; pages load as you scroll.
// Any list can be shown: a source is {key, count, title, note, page(items) -> {items, end}}, asked for what follows.

import { get, picture } from "../api.js";
import { h, plural } from "../dom.js";
import { detail } from "./detail.js";

const CELL = 148;
const PAGE = 500;
const SPARE_ROWS = 3;

export class Grid {
  // title: of the region. cell: least side of a picture in pixels. more(item, place): what lies over a picture, or null.
  // keys(event, item, place): a key pressed on a picture; true: taken.
  constructor({ title = "Pictures", cell = CELL, gap = 12, more = null, keys = null } = {}) {
    Object.assign(this, { cell, gap, over: more, keys });
    this.title = h("h2", {}, title);
    this.count = h("span", { class: "pw-muted pw-num" });
    this.credit = h("span", { class: "pw-credit" });
    this.sheet = h("div", { class: "pw-sheet" });
    this.window = h("div", { class: "pw-window", tabindex: "0", role: "region", "aria-label": title, onscroll: () => this.later(), onkeydown: (event) => this.pressed(event) }, this.sheet);
    this.head = h("header", {}, this.title, this.count, this.credit);
    this.node = h("section", { class: "pw-card pw-gallery" }, this.head, this.window);
    this.items = [];
    this.cells = new Map(); // place -> element
    new ResizeObserver(() => this.later(true)).observe(this.window);
  }

  nothing(message, title = "Pictures") {
    this.source = null;
    this.title.textContent = title;
    this.items = [];
    this.count.textContent = "";
    this.credit.textContent = "";
    this.sheet.style.height = "auto";
    this.cells.clear();
    this.sheet.replaceChildren(message);
  }

  open(collection) {
    return this.show({
      key: `collection/${collection.id}`, count: collection.items, title: collection.name, note: collection.credit ?? "",
      page: async (items) => {
        const found = await get("items", { collection: collection.id, after: items.at(-1)?.id ?? 0, limit: PAGE });
        return { items: found.items, end: found.next === null };
      },
    });
  }

  // The same source with the same count stays as it is; one that has grown goes on where it ended.
  async show(source, words = plural(source.count, "picture")) {
    const same = this.source?.key === source.key;
    if (same && this.source.count === source.count) return;
    this.source = source;
    this.title.textContent = source.title;
    this.count.textContent = words;
    this.credit.textContent = source.note ?? "";
    if (!same) { this.items = []; this.window.scrollTop = 0; }
    this.end = false;
    this.sheet.replaceChildren();
    this.cells.clear();
    this.loading = null;
    await this.more();
  }

  async more() {
    if (this.loading || this.end || !this.source) return;
    const source = this.source;
    this.loading = source.page(this.items);
    try {
      const page = await this.loading;
      if (source !== this.source) return;
      this.items.push(...page.items);
      this.end = page.end;
    } catch { /* scrolling again tries again */ } finally {
      if (source === this.source) this.loading = null;
    }
    this.draw();
  }

  later(fresh = false) {
    if (fresh) { this.cells.forEach((cell) => cell.remove()); this.cells.clear(); }
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); });
  }

  draw() {
    const width = this.window.clientWidth;
    if (!this.source || !width) return;
    const columns = Math.max(2, Math.floor((width + this.gap) / (this.cell + this.gap)));
    const side = (width - this.gap * (columns - 1)) / columns;
    const step = side + this.gap;
    Object.assign(this, { columns, step });
    this.sheet.style.height = `${Math.ceil(this.source.count / columns) * step}px`;
    const first = Math.max(0, Math.floor(this.window.scrollTop / step) - SPARE_ROWS) * columns;
    const end = Math.min(this.items.length, (Math.ceil((this.window.scrollTop + this.window.clientHeight) / step) + SPARE_ROWS) * columns);
    for (const [place, cell] of this.cells) if ((place < first || place >= end) && !cell.contains(document.activeElement)) { cell.remove(); this.cells.delete(place); }
    for (let place = first; place < end; place += 1) if (!this.cells.has(place)) this.put(place, columns, side, step);
    this.node.dataset.cells = String(this.cells.size);
    const wanted = Math.ceil((this.window.scrollTop + this.window.clientHeight) / step + SPARE_ROWS) * columns;
    if (wanted > this.items.length) this.more();
  }

  put(place, columns, side, step) {
    const item = this.items[place];
    const image = h("img", { src: picture(item.media, this.cell < 120 && devicePixelRatio < 1.2 ? 128 : devicePixelRatio > 1.2 ? 512 : 256), alt: item.caption || item.name, loading: "lazy", decoding: "async" });
    const where = { left: `${(place % columns) * step}px`, top: `${Math.floor(place / columns) * step}px`, width: `${side}px`, height: `${side}px` };
    const button = (style) => h("button", { type: "button", class: "pw-cell", title: item.name, style, data: { place, item: item.id }, onclick: () => detail(item) }, image);
    const cell = this.over ? h("div", { class: "pw-cell-with", style: where }, button({}), this.over(item, place)) : button(where);
    this.cells.set(place, cell);
    this.sheet.append(cell);
  }

  // Draw one picture anew: what lies over it has changed.
  again(place) {
    const cell = this.cells.get(place);
    if (!cell) return;
    const focused = cell.contains(document.activeElement);
    cell.remove();
    this.cells.delete(place);
    this.draw();
    if (focused) this.focus(place);
  }

  focus(place) {
    if (place < 0 || place >= this.items.length || !this.step) return;
    const top = Math.floor(place / this.columns) * this.step;
    if (top < this.window.scrollTop) this.window.scrollTop = top;
    else if (top + this.step > this.window.scrollTop + this.window.clientHeight) this.window.scrollTop = top + this.step - this.window.clientHeight;
    this.draw();
    const cell = this.cells.get(place);
    (cell?.matches("button") ? cell : cell?.querySelector(".pw-cell"))?.focus({ preventScroll: true });
  }

  // Arrows walk from picture to picture; everything else is the owner's.
  pressed(event) {
    const place = Number(event.target.dataset?.place ?? NaN);
    if (Number.isNaN(place) || event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns }[event.key];
    if (by) { event.preventDefault(); this.focus(place + by); } else if (this.keys?.(event, this.items[place], place)) event.preventDefault();
  }
}
