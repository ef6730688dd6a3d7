// Pictures with a heading, in a sheet that loads them as one scrolls.
// Any list can be shown: a source is {key, count, title, note, page(items) -> {items, end}}, asked for what follows.

import { get, picture } from "../api.js";
import { h, plural } from "../dom.js";
import { InOrder } from "../pages.js";
import { Sheet } from "../sheet.js";
import { detail } from "./detail.js";

const CELL = 148;
const PAGE = 500;

export class Grid {
  // title: of the region. cell: least side of a picture in pixels. more(item, place): what lies over a picture, or null.
  // keys(event, item, place): a key pressed on a picture; true: taken.
  constructor({ title = "Pictures", cell = CELL, gap = 12, more = null, keys = null } = {}) {
    Object.assign(this, { side: cell, over: more, keys });
    this.title = h("h2", {}, title);
    this.count = h("span", { class: "pw-muted pw-num" });
    this.credit = h("span", { class: "pw-credit" });
    this.sheet = new Sheet({ label: title, cell, gap, make: (item, place) => this.cell(item, place) });
    this.sheet.window.addEventListener("keydown", (event) => this.pressed(event));
    this.head = h("header", {}, this.title, this.count, this.credit);
    this.node = h("section", { class: "pw-card pw-gallery" }, this.head, this.sheet.window);
  }

  nothing(message, title = "Pictures") {
    this.source = null;
    this.title.textContent = title;
    this.count.textContent = "";
    this.credit.textContent = "";
    this.sheet.nothing(message);
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
    const pages = new InOrder(source.count, source.page);
    if (same) pages.items = this.sheet.source.items;
    this.sheet.open(pages, { keep: same });
    await pages.want(0, pages.items.length + 1);
  }

  cell(item, place) {
    const size = this.side < 120 && devicePixelRatio < 1.2 ? 128 : devicePixelRatio > 1.2 ? 512 : 256;
    const image = h("img", { src: picture(item.media, size), alt: item.caption || item.name, loading: "lazy", decoding: "async" });
    const button = h("button", { type: "button", class: "pw-cell", title: item.name, data: { place, item: item.id }, onclick: () => detail(item) }, image);
    return this.over ? h("div", { class: "pw-cell-with" }, button, this.over(item, place)) : button;
  }

  focus(place) { this.sheet.focus(place); }

  // Arrows walk from picture to picture; everything else is the owner's.
  pressed(event) {
    if (!event.target.matches(".pw-cell") || event.ctrlKey || event.metaKey || event.altKey || this.sheet.walk(event)) return;
    const place = this.sheet.place();
    if (this.keys?.(event, this.sheet.source.at(place), place)) event.preventDefault();
  }
}
