// The groups screen: every group as a card, a group as a gallery, and what a person can say about them.

import { get } from "../api.js";
import { criterion, emit, on } from "../bus.js";
import { empty, h, plural } from "../dom.js";
import { Anywhere } from "../pages.js";
import { Sheet } from "../sheet.js";
import { toast } from "../toast.js";
import { card } from "./card.js";
import { Gallery } from "./gallery.js";
import { mergeQuestion } from "./merge.js";
import { keys, sending } from "./sending.js";
import { Taking } from "./taking.js";

const PAGE = 40;
const SHOWN = 6; // pictures on a card
const SORTS = [["size", "Largest first"], ["confirmed", "Least confirmed first"], ["doubt", "Most uncertain first"]];

export async function start(element) {
  new Groups(element, await sending());
}

class Groups {
  constructor(element, box) {
    Object.assign(this, { box, chosen: new Map(), stand: null });
    this.count = h("span", { class: "pw-muted pw-num" });
    this.sort = h("select", { "aria-label": "Order of the groups", onchange: () => this.load() }, SORTS.map(([value, text]) => h("option", { value }, text)));
    this.taking = new Taking(box.may, () => this.soon(0));
    this.bar = h("div", { class: "pw-merge-bar", hidden: true, role: "region", "aria-label": "Chosen groups" });
    this.undo = h("button", { type: "button", class: "pw-quiet", "aria-keyshortcuts": "Z", onclick: () => this.box.undo() }, "Undo ", h("kbd", { "aria-hidden": "true" }, "Z"));
    this.sheet = new Sheet({ label: "Groups", cell: 270, gap: 16, ratio: 2 / 3, extra: 84, make: (group) => card(group, this.calls()) });
    this.sheet.window.addEventListener("keydown", (event) => this.sheet.walk(event));
    this.list = h("section", { class: "pw-card pw-groups-list" },
      h("header", {}, h("h2", {}, "Groups"), this.count, this.taking.node(), h("span", { class: "pw-space" }), box.pill(), box.may && this.undo, this.sort), this.sheet.window, this.bar);
    this.gallery = new Gallery(box, { close: () => this.close(), taking: this.taking });
    this.root = h("div", { class: "pw pw-grouping" }, this.list);
    element.replaceChildren(this.root);
    keys(() => this.shown() && !document.querySelector("dialog[open]"), (name, event) => this.pressed(name, event));
    this.wire();
  }

  wire() {
    on("criterion", () => { this.close(false); this.stand = null; this.chosen.clear(); this.load(); });
    on("undone", () => this.gallery.undone());
    for (const kind of ["answer", "undo", "promotion", "name", "online", "sent"]) on(kind, () => this.soon(400));
    let width = 0; // also called when the tab comes into view
    new ResizeObserver(() => { const now = this.root.clientWidth; if (now && !width) this.soon(0); width = now; }).observe(this.root);
  }

  shown() { return this.root.offsetParent !== null; }

  calls() { return { may: this.box.may, open: (group) => this.open(group), choose: (group, on) => this.choose(group, on), chosen: (group) => this.chosen.has(group.anchor) }; }

  soon(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.shown() && (this.gallery.anchor ? this.gallery.reload() : this.load({ keep: true })).catch((error) => error.passing || toast(error.message, { bad: true })), pause);
  }

  async load({ keep = false } = {}) {
    const chosen = criterion();
    if (!chosen) return this.nothing("Nothing to group yet", "Import pictures and add a criterion on the Data tab. Groups appear once every picture has been looked at.", "Data");
    const sort = this.sort.value;
    const ask = (more) => get("groups", { criterion: chosen.id, sort, limit: PAGE, items: SHOWN, ...more });
    let first;
    try {
      first = await ask({});
    } catch (error) {
      if (error.status !== 404) throw error;
      return this.nothing("No groups yet", `${error.message} This page fills by itself.`, "Label");
    }
    if (chosen.id !== criterion()?.id || sort !== this.sort.value) return undefined;
    this.taking.show(first);
    const source = new Anywhere(first.total, async (after) => (await ask({ after, stand: first.stand })).groups, { size: PAGE, before: keep ? this.sheet.source : null });
    source.give(0, first.groups);
    this.count.textContent = `${plural(first.total, "group")} of ${plural(first.items, "picture")}`;
    this.sheet.open(source, { keep });
    this.root.dataset.stand = first.stand;
    return undefined;
  }

  nothing(title, sentence, tab) {
    this.count.textContent = "";
    this.sheet.nothing(empty("images", title, sentence, h("button", { type: "button", class: "pw-primary", onclick: () => emit("tab", tab) }, `Go to ${tab}`)));
  }

  open(group) {
    this.back = this.sheet.place();
    this.root.replaceChildren(this.gallery.node);
    this.gallery.open(group).catch((error) => { toast(error.message, { bad: true }); this.close(); });
  }

  close(draw = true) {
    if (!this.gallery.anchor) return;
    this.gallery.anchor = null;
    this.root.replaceChildren(this.list);
    if (draw) this.load({ keep: true }).then(() => this.back !== null && this.sheet.focus(this.back)).catch((error) => toast(error.message, { bad: true }));
  }

  // Two chosen groups can be asked about.
  choose(group, on) {
    if (on) this.chosen.set(group.anchor, group); else this.chosen.delete(group.anchor);
    while (this.chosen.size > 2) this.chosen.delete(this.chosen.keys().next().value);
    this.sheet.again();
    const two = [...this.chosen.values()];
    this.bar.hidden = !two.length;
    this.bar.replaceChildren(h("span", {}, two.length < 2 ? "Choose a second group to merge with." : "Are these two one group?"),
      h("button", { type: "button", class: "pw-primary", "aria-keyshortcuts": "M", disabled: two.length < 2, onclick: () => this.merge() }, "Merge? ", h("kbd", { "aria-hidden": "true" }, "M")),
      h("button", { type: "button", class: "pw-quiet", onclick: () => this.unchoose() }, "Clear"));
  }

  unchoose() { this.chosen.clear(); this.bar.hidden = true; this.sheet.again(); }

  merge() {
    const two = [...this.chosen.values()];
    if (two.length < 2) return;
    mergeQuestion(two, criterion(), this.box, () => { this.unchoose(); this.soon(200); });
  }

  pressed(name, event) {
    if (name === "z" && this.box.may) { this.box.undo(); return true; }
    if (this.gallery.anchor) return this.gallery.pressed(name, event);
    if (name === "m" && this.chosen.size === 2) { this.merge(); return true; }
    if (name === "escape" && this.chosen.size) { this.unchoose(); return true; }
    return false;
  }
}
