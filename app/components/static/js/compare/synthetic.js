// Synthetic pictures of the collection, each beside the real one it was made of: may it stand for it in training?
// They are proposals of a generator, never items; what is rejected is never learnt from.

import { get, key, picture, post } from "../api.js";
import { h } from "../dom.js";
import { toast } from "../toast.js";

const PAGE = 12;
const SAID = { accepted: ["accepted", "good"], rejected: ["rejected", "bad"], proposed: ["not judged yet", ""] };
const KEYS = { a: "accepted", r: "rejected" };

export class Synthetic {
  constructor({ may }) {
    Object.assign(this, { may, collection: null, cards: [], next: null, last: [], turn: 0 });
    this.counts = h("span", { class: "pw-synthetic-counts" });
    this.list = h("div", { class: "pw-synthetic-list" });
    this.more = h("button", { type: "button", class: "pw-quiet", onclick: () => this.fetch() }, "Show more");
    this.node = h("section", { class: "pw-card pw-synthetic", hidden: true, "aria-label": "Synthetic pictures", onkeydown: (event) => this.press(event) },
      h("header", {}, h("h2", {}, "Synthetic pictures"), this.counts),
      h("p", { class: "pw-muted pw-small" }, "Made by a generator, not photographed. Accepted ones train beside the real picture they were made of; rejected ones never do.",
        may && h("span", {}, " ", h("kbd", {}, "A"), " accept ", h("kbd", {}, "R"), " reject ", h("kbd", {}, "Z"), " undo")),
      this.list, this.more);
  }

  // From the start; what was judged here before is not shown again.
  async show(collection) {
    Object.assign(this, { collection, cards: [], next: 0, last: [] });
    this.list.replaceChildren();
    await this.fetch();
  }

  async fetch() {
    const turn = ++this.turn;
    const found = await get("synthetic", { collection: this.collection, state: "proposed", after: this.next ?? 0, limit: PAGE });
    if (turn !== this.turn) return;
    this.next = found.next;
    const fresh = found.pictures.map((one) => new Card(one, this));
    this.cards.push(...fresh);
    this.list.append(...fresh.map((card) => card.node));
    this.tell(found.counts);
    this.more.hidden = found.next === null;
  }

  tell(counts) {
    this.totals = counts;
    this.node.hidden = !Object.values(counts).some(Boolean);
    this.counts.replaceChildren(...["proposed", "accepted", "rejected"].map((state) => h("span", { class: `pw-pill ${SAID[state][1]}` }, `${counts[state].toLocaleString()} ${SAID[state][0]}`)));
    if (!this.cards.length) this.list.replaceChildren(h("p", { class: "pw-muted" }, "Every synthetic picture is judged."));
  }

  // A press on what is already said takes it back.
  async judge(card, state) {
    if (card.busy) return;
    card.busy = true;
    const wanted = card.one.state === state ? "proposed" : state;
    try {
      await post(`synthetic/${card.one.id}/verdict`, { state: wanted }, { idempotency: key() });
      this.tell({ ...this.totals, [card.one.state]: this.totals[card.one.state] - 1, [wanted]: this.totals[wanted] + 1 });
      card.show({ ...card.one, state: wanted });
      if (wanted === "proposed") this.last = this.last.filter((one) => one !== card);
      else { this.last.push(card); this.forward(card); }
    } catch (error) {
      toast(`Not saved: ${error.message}`, { bad: true });
    } finally {
      card.busy = false;
    }
  }

  forward(card) {
    const open = this.cards.slice(this.cards.indexOf(card) + 1).find((one) => one.one.state === "proposed");
    open?.node.focus();
  }

  press(event) {
    if (!this.may || event.ctrlKey || event.metaKey || event.altKey) return;
    const name = event.key.toLowerCase(), card = this.cards.find((one) => one.node.contains(event.target));
    if (name === "z" && this.last.length) {
      event.preventDefault();
      const back = this.last.at(-1);
      this.judge(back, back.one.state).then(() => back.node.focus());
    } else if (KEYS[name] && card) {
      event.preventDefault();
      if (card.one.state !== KEYS[name]) this.judge(card, KEYS[name]);
      else this.forward(card);
    }
  }
}

class Card {
  constructor(one, home) {
    this.busy = false;
    const say = (state, word, cap) => h("button", { type: "button", class: state, tabindex: "-1", onclick: () => home.judge(this, state) }, word, h("kbd", { "aria-hidden": "true" }, cap));
    this.say = home.may ? { accepted: say("accepted", "Accept", "A"), rejected: say("rejected", "Reject", "R") } : {};
    this.state = h("span", { class: "pw-pill" });
    this.node = h("article", { class: "pw-synthetic-card", tabindex: "0", data: { picture: one.id }, "aria-keyshortcuts": "A R Z" },
      h("div", { class: "pw-synthetic-two" },
        h("figure", {}, h("img", { src: picture(one.anchor.media, 256), alt: one.anchor.name, loading: "lazy", decoding: "async" }), h("figcaption", {}, "real")),
        h("figure", { class: "made" }, h("img", { src: picture(one.media, 256), alt: `synthetic picture made of ${one.anchor.name}`, loading: "lazy", decoding: "async" }), h("figcaption", {}, "synthetic"))),
      h("div", { class: "pw-synthetic-foot" }, h("span", { class: "pw-muted", title: `${one.method}, seed ${one.seed}, weights ${one.maker}` }, `by ${one.method}`), this.state),
      home.may && h("div", { class: "pw-synthetic-say" }, Object.values(this.say)));
    this.show(one);
  }

  show(one) {
    this.one = one;
    const [word, tone] = SAID[one.state];
    this.node.dataset.state = one.state;
    this.node.setAttribute("aria-label", `synthetic picture made of ${one.anchor.name}, ${word}`);
    this.state.className = `pw-pill ${tone}`;
    this.state.textContent = word;
    for (const [state, button] of Object.entries(this.say)) {
      button.setAttribute("aria-pressed", String(one.state === state));
      button.title = one.state === state ? "press again to take it back" : "";
    }
  }
}
