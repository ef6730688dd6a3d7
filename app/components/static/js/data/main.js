// The data screen: collections and their pictures, import, and what "same" means.

import { get } from "../api.js";
import { criterion, loadCriteria, me, on } from "../bus.js";
import { empty, h, plural } from "../dom.js";
import { toast } from "../toast.js";
import { Criteria } from "./criteria.js";
import { Grid } from "./grid.js";
import { Importer } from "./importer.js";
import { Taking } from "./taking.js";

export async function start(element) {
  const person = await me().catch(() => ({ role: "viewer" }));
  new Data(element, person);
}

class Data {
  constructor(element, person) {
    this.chosen = null;
    this.list = h("ul", { class: "pw-collections", "aria-label": "Collections" });
    this.grid = new Grid();
    const may = ["curator", "admin"].includes(person.role);
    this.importer = new Importer({ may, admin: person.role === "admin", done: () => this.load() });
    this.criteria = new Criteria({ may, changed: () => loadCriteria() });
    this.taking = new Taking({ may });
    element.replaceChildren(h("div", { class: "pw pw-data" },
      h("div", { class: "pw-side" }, h("section", { class: "pw-card" }, h("h2", {}, "Collections"), this.list), this.importer.node, this.criteria.node, this.taking.node),
      this.grid.node));
    on("job", () => this.soon());
    on("criteria", (all) => this.criteria.show(all));
    this.load();
    loadCriteria().catch(() => {});
  }

  soon() { this.timer ??= setTimeout(() => { this.timer = null; this.load(); this.importer.refresh(); }, 700); }

  async load() {
    try {
      this.collections = (await get("collections")).collections;
    } catch (error) {
      return toast(error.message, { bad: true });
    }
    const withId = (id) => this.collections.find((one) => one.id === id);
    const found = withId(this.chosen?.id) ?? withId(criterion()?.collection) ?? this.collections[0] ?? null;
    this.criteria.collections(this.collections);
    this.importer.collections(this.collections);
    this.show(found);
  }

  show(chosen) {
    this.chosen = chosen;
    const entry = (one) => h("li", {}, h("button", { type: "button", class: "pw-collection", "aria-current": one.id === chosen?.id ? "true" : null, onclick: () => this.show(one) },
      h("span", {}, one.name), h("span", { class: "pw-muted pw-num" }, plural(one.items, "picture"))));
    this.list.replaceChildren(...this.collections.map(entry));
    if (!this.collections.length) this.list.replaceChildren(h("li", { class: "pw-muted" }, "None yet: import a folder or an archive below."));
    if (chosen && !chosen.items) this.grid.nothing(empty("images", "No pictures in here yet", "They appear as soon as the import has stored the first of them."), chosen.name);
    else if (chosen) this.grid.open(chosen);
    else this.grid.nothing(empty("images", "No pictures yet", "Choose a folder, some pictures or a zip archive on the left. They stay on this machine."));
  }
}
