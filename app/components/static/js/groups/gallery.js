// One group as a gallery: choose pictures, say that they belong or that they do not, name the group, ask for evidence.

import { get, picture } from "../api.js";
import { criterion } from "../bus.js";
import { h, icon, plural } from "../dom.js";
import { Anywhere } from "../pages.js";
import { Sheet } from "../sheet.js";
import { detail } from "../data/detail.js";
import { toast } from "../toast.js";
import { meant } from "./approve.js";
import { title } from "./card.js";
import { evidence } from "./evidence.js";
import { Naming } from "./naming.js";

const PAGE = 200;
const MOST = 999; // pictures of one answer, besides the anchor
const MANY = 240; // pictures above which approving is asked back

export class Gallery {
  constructor(box, { close, taking }) {
    Object.assign(this, { box, taking, call: { close }, anchor: null, chosen: new Map(), said: new Map(), acts: {} });
    this.count = h("span", { class: "pw-muted pw-num" });
    this.naming = new Naming(box, () => this.group);
    this.sheet = new Sheet({ label: "Pictures of this group", make: (item, place) => this.cell(item, place) });
    this.sheet.window.addEventListener("keydown", (event) => this.sheet.walk(event));
    const button = (name, key, text, act) => (this.acts[name] = h("button", { type: "button", class: name, "aria-keyshortcuts": key, onclick: () => act() }, h("span", {}, text), h("kbd", { "aria-hidden": "true" }, key)));
    this.node = h("section", { class: "pw-card pw-gallery pw-group-open" },
      h("header", {}, h("button", { type: "button", class: "pw-quiet pw-back", onclick: () => close() }, "\u2190 All groups"), this.naming.node, this.count, taking.node(), h("span", { class: "pw-space" }), box.pill()),
      this.sheet.window,
      h("div", { class: "pw-actions pw-group-acts", role: "toolbar", "aria-label": "About this group" },
        box.may && h("div", {}, button("different", "X", "These do not belong", () => this.reject()), button("same", "A", "Approve", () => this.approve())),
        h("div", {}, button("why", "E", "Why together?", () => this.why()), button("large", "V", "Look closer", () => this.look()),
          box.may && button("undo", "Z", "Undo", () => box.undo()))));
  }

  async open(group) {
    this.anchor = group.anchor;
    this.stand = null;
    this.chosen.clear();
    this.said.clear();
    this.group = group;
    this.head();
    this.sheet.nothing(h("p", { class: "pw-muted" }, "One moment\u2026"));
    await this.reload();
    this.sheet.focus(0);
  }

  // Read again; laid out anew only if the groups have changed.
  async reload() {
    const [anchor, about] = [this.anchor, criterion()?.id];
    if (!anchor || !about) return;
    const ask = (more) => get(`groups/of/${anchor}`, { criterion: about, limit: PAGE, ...more });
    const first = await ask({});
    if (anchor !== this.anchor) return;
    this.taking.show(first);
    this.group = first.group;
    const moved = this.stand !== null && this.stand !== first.stand;
    if (first.fresh && moved && !this.box.outbox.size) this.said.clear();
    this.stand = first.stand;
    this.node.dataset.stand = first.stand;
    const before = moved || first.group.size !== this.sheet.source?.total ? null : this.sheet.source;
    const source = new Anywhere(first.group.size, async (after) => (await ask({ after, stand: first.stand })).members, { size: PAGE, before });
    source.give(0, first.members);
    this.sheet.open(source, { keep: true });
    this.head();
  }

  head() {
    const { size, confirmed, doubt } = this.group;
    this.naming.show(title(this.group));
    this.count.textContent = `${plural(size, "picture")} \u00b7 ${confirmed.toLocaleString()} confirmed${doubt === null ? "" : ` \u00b7 ${Math.round(100 * (1 - doubt))} % sure on average`}`;
    this.buttons();
  }

  buttons() {
    const n = this.chosen.size;
    if (this.acts.same) {
      this.acts.same.firstChild.textContent = n ? `Approve ${n.toLocaleString()} chosen` : `Approve all ${this.group.size.toLocaleString()}`;
      const others = [...this.chosen.keys()].filter((id) => id !== this.anchor).length || this.group.size - 1;
      this.acts.same.title = `records ${plural(others, "pair")} in ${plural(Math.ceil(others / MOST), "answer")}`;
      this.acts.same.disabled = this.group.size < 2;
      this.acts.different.disabled = !n;
    }
    this.acts.why.disabled = n !== 2;
    this.acts.why.title = n === 2 ? "" : "choose two pictures first";
  }

  cell(item, place) {
    const said = this.said.get(item.id);
    const node = h("button", { type: "button", class: `pw-cell pw-member ${said ?? (item.confirmed ? "confirmed" : "")}`, "aria-pressed": String(this.chosen.has(item.id)), title: item.name,
      "aria-label": `${item.name || `picture ${item.id}`}${item.confirmed ? ", confirmed" : ""}`, data: { item: String(item.id) }, onclick: (event) => this.toggle(item, place, event.shiftKey), ondblclick: () => this.look(item) },
    h("img", { src: picture(item.media, devicePixelRatio > 1.2 ? 512 : 256), alt: item.caption || item.name, loading: "lazy", decoding: "async" }),
    (said || item.confirmed) && h("span", { class: "pw-mark" }, icon(said === "rejected" ? "cross" : "check")),
    item.sure !== null && item.sure < 0.7 && !item.confirmed && h("span", { class: "pw-pill warn pw-sure", title: "how sure the model is of this picture" }, `${Math.round(100 * item.sure)} %`));
    return node;
  }

  // Shift takes everything since the last choice.
  toggle(item, place, range) {
    const from = range && this.last !== undefined ? Math.min(this.last, place) : place;
    const to = range && this.last !== undefined ? Math.max(this.last, place) : place;
    const on = !this.chosen.has(item.id);
    for (let at = from; at <= to; at += 1) {
      const one = this.sheet.source.at(at);
      if (one && on) this.chosen.set(one.id, one); else if (one) this.chosen.delete(one.id);
      this.sheet.cells.get(at)?.setAttribute("aria-pressed", String(this.chosen.has(one?.id)));
    }
    this.last = place;
    this.buttons();
  }

  clear() {
    this.chosen.clear();
    this.last = undefined;
    this.sheet.again();
    this.buttons();
  }

  async approve() {
    if (!this.box.may || this.group.size < 2 || this.busy) return;
    this.busy = true; // reading a large group takes a moment, and a second press would approve it twice
    try {
      const items = this.chosen.size ? [...this.chosen.keys()] : (await get(`groups/of/${this.anchor}/ids`, { criterion: criterion().id, stand: this.stand })).ids;
      const same = items.filter((id) => id !== this.anchor && this.said.get(id) !== "rejected");
      if (same.length && (same.length < MANY || (await meant(same.length + 1, Math.ceil(same.length / MOST))))) this.send("same", same, "approved");
    } catch (error) {
      toast(error.message, { bad: true });
    } finally {
      this.busy = false;
    }
  }

  reject() {
    const different = [...this.chosen.keys()];
    if (!this.box.may || !different.length) return;
    if (different.includes(this.anchor)) return this.rejectAnchor(different);
    this.send("different", different, "rejected");
  }

  // The picture that stands for the group is among the strangers: the surest of the others speaks for the group.
  rejectAnchor(different) {
    const stays = [...Array(Math.min(this.group.size, PAGE)).keys()].map((at) => this.sheet.source.at(at)).find((one) => one && !this.chosen.has(one.id));
    if (!stays) return toast("Leave at least one picture that does belong, so that there is something to differ from.");
    this.anchor = stays.id;
    return this.send("different", different, "rejected");
  }

  // Answers of up to MOST pictures, each whole and stored once; undone together.
  send(side, items, mark) {
    const all = mark === "approved" ? [this.anchor, ...items] : items;
    for (const id of all) this.said.set(id, mark);
    const answers = [];
    for (let at = 0; at < items.length; at += MOST) answers.push({ criterion: criterion().id, anchor: this.anchor, [side]: items.slice(at, at + MOST) });
    const words = plural(all.length, "picture");
    this.box.say("groups/answer", answers, `${words} ${mark}`);
    this.clear();
    toast(`${words} ${mark === "approved" ? "approved as one group" : "marked as not belonging here"}: ${plural(items.length, "pair")} in ${plural(answers.length, "answer")}.`);
  }

  undone() { this.said.clear(); this.sheet.again(); }

  why() { if (this.chosen.size === 2) evidence([...this.chosen.values()], criterion()); }

  look(item = null) {
    const one = item ?? this.sheet.source?.at(this.sheet.place() ?? 0);
    if (one) get(`items/${one.id}`).then(detail).catch((error) => toast(error.message, { bad: true }));
  }

  pressed(name) {
    const act = { a: () => this.approve(), x: () => this.reject(), e: () => this.why(), v: () => this.look(), n: () => this.naming.edit(), escape: () => (this.chosen.size ? this.clear() : this.call.close()) }[name];
    if (!act) return false;
    act();
    return true;
  }
}
