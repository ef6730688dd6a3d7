// A grid of thumbnails that stays fast at any size: only the rows in view exist in the page; pages load as you scroll.

import { get, picture } from "../api.js";
import { h, plural } from "../dom.js";
import { detail } from "./detail.js";

const CELL = 148;
const GAP = 12;
const PAGE = 500;
const SPARE_ROWS = 3;

export class Grid {
  constructor() {
    this.title = h("h2", {}, "Pictures");
    this.count = h("span", { class: "pw-muted pw-num" });
    this.credit = h("span", { class: "pw-credit" });
    this.sheet = h("div", { class: "pw-sheet" });
    this.window = h("div", { class: "pw-window", tabindex: "0", role: "region", "aria-label": "Pictures", onscroll: () => this.later() }, this.sheet);
    this.node = h("section", { class: "pw-card pw-gallery" }, h("header", {}, this.title, this.count, this.credit), this.window);
    this.items = [];
    this.cells = new Map(); // place -> element
    new ResizeObserver(() => this.later(true)).observe(this.window);
  }

  nothing(message, title = "Pictures") {
    this.collection = null;
    this.title.textContent = title;
    this.items = [];
    this.count.textContent = "";
    this.credit.textContent = "";
    this.sheet.style.height = "auto";
    this.cells.clear();
    this.sheet.replaceChildren(message);
  }

  async open(collection) {
    const same = this.collection?.id === collection.id;
    if (same && this.collection.items === collection.items) return;
    this.collection = collection;
    this.title.textContent = collection.name;
    this.count.textContent = plural(collection.items, "picture");
    this.credit.textContent = collection.credit ?? "";
    if (!same) { this.items = []; this.window.scrollTop = 0; }
    this.next = this.items.at(-1)?.id ?? 0;
    this.sheet.replaceChildren();
    this.cells.clear();
    this.loading = null;
    await this.more();
  }

  async more() {
    if (this.loading || this.next === null || !this.collection) return;
    const collection = this.collection;
    this.loading = get("items", { collection: collection.id, after: this.next, limit: PAGE });
    try {
      const page = await this.loading;
      if (collection.id !== this.collection?.id) return;
      this.items.push(...page.items);
      this.next = page.next;
    } catch { /* scrolling again tries again */ } finally {
      if (collection.id === this.collection?.id) this.loading = null;
    }
    this.draw();
  }

  later(fresh = false) {
    if (fresh) { this.cells.forEach((cell) => cell.remove()); this.cells.clear(); }
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); });
  }

  draw() {
    const width = this.window.clientWidth;
    if (!this.collection || !width) return;
    const columns = Math.max(2, Math.floor((width + GAP) / (CELL + GAP)));
    const side = (width - GAP * (columns - 1)) / columns;
    const step = side + GAP;
    this.sheet.style.height = `${Math.ceil(this.collection.items / columns) * step}px`;
    const first = Math.max(0, Math.floor(this.window.scrollTop / step) - SPARE_ROWS) * columns;
    const end = Math.min(this.items.length, (Math.ceil((this.window.scrollTop + this.window.clientHeight) / step) + SPARE_ROWS) * columns);
    for (const [place, cell] of this.cells) if (place < first || place >= end) { cell.remove(); this.cells.delete(place); }
    for (let place = first; place < end; place += 1) if (!this.cells.has(place)) this.put(place, columns, side, step);
    this.node.dataset.cells = String(this.cells.size);
    const wanted = Math.ceil((this.window.scrollTop + this.window.clientHeight) / step + SPARE_ROWS) * columns;
    if (wanted > this.items.length) this.more();
  }

  put(place, columns, side, step) {
    const item = this.items[place];
    const cell = h("button", { type: "button", class: "pw-cell", title: item.name, onclick: () => detail(item),
      style: { left: `${(place % columns) * step}px`, top: `${Math.floor(place / columns) * step}px`, width: `${side}px`, height: `${side}px` } },
    h("img", { src: picture(item.media, devicePixelRatio > 1.2 ? 512 : 256), alt: item.caption || item.name, loading: "lazy", decoding: "async" }));
    this.cells.set(place, cell);
    this.sheet.append(cell);
  }
}
