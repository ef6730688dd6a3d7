// One contradiction: the pair, the chain that says otherwise, and the pairs worth asking again with their history.

import { picture } from "../api.js";
import { h, plural } from "../dom.js";

const FORM = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const WORDS = { same: "same", different: "different", not_comparable: "not comparable", unsure: "unsure", skip: "skipped" };
const SAY = [["different", "Different", "D"], ["not_comparable", "Not comparable", "N"], ["unsure", "Unsure", "U"], ["same", "Same", "S"]];

export class Contradiction {
  constructor(one, { may, say, undo }) {
    Object.assign(this, { may, say, undo });
    const title = one.chain.length ? "Said to be different, yet joined by others" : "People disagree about this pair";
    const weights = `${one.against.toFixed(1)} for different, ${one.support.toFixed(1)} for same`;
    this.node = h("article", { class: `pw-card pw-contradiction${one.settled ? " settled" : ""}`, data: { pair: name(one.pair) }, "aria-label": title },
      h("header", {}, h("h3", {}, title), h("span", { class: "pw-pill pw-num", title: "weight of the answers on either side, in nats" }, weights), one.settled && h("span", { class: "pw-pill good" }, "settled")),
      one.chain.length ? this.chain(one) : null,
      h("p", { class: "pw-muted" }, one.settled ? "Later answers outvoted one side; nothing to do." : `${one.again.length === 1 ? "This pair decides it" : `These ${one.again.length} pairs are the smallest set that decides it`}. Look again:`),
      h("div", { class: "pw-agains" }, one.again.map((pair) => this.again(pair))));
  }

  // a = x = y = b, and the one "different" between a and b.
  chain(one) {
    const walk = [one.pair.a];
    for (const link of one.chain) walk.push(link.a.id === walk.at(-1).id ? link.b : link.a);
    const steps = walk.flatMap((item, at) => [at ? h("span", { class: "pw-link same", title: said(one.chain[at - 1]) }, "=") : null,
      h("img", { src: picture(item.media, 128), alt: item.name, title: item.name, loading: "lazy", decoding: "async" })]);
    return h("figure", { class: "pw-chain" }, h("div", { class: "pw-walk" }, steps),
      h("figcaption", { class: "pw-small" }, h("span", { class: "pw-link different" }, "\u2260"), ` first and last: ${said(one.pair)}`));
  }

  again(pair) {
    const buttons = SAY.map(([verdict, text, cap]) => h("button", { type: "button", class: verdict, tabindex: "-1", onclick: () => this.say(pair, verdict) }, text, h("kbd", { "aria-hidden": "true" }, cap)));
    return h("section", { class: "pw-again", tabindex: this.may ? "0" : null, data: { pair: name(pair) }, role: "group", "aria-label": `${pair.a.name} and ${pair.b.name}`, "aria-keyshortcuts": "S D N U Z" },
      h("div", { class: "pw-two pw-large" }, [pair.a, pair.b].map((item) => h("img", { src: picture(item.media, 512), alt: item.name, loading: "lazy", decoding: "async" }))),
      h("ul", { class: "pw-history" }, pair.said.map((one) => this.voice(one))), this.may && h("div", { class: "pw-again-say" }, buttons));
  }

  voice(one) {
    const tone = { same: "good", different: "bad" }[one.verdict] ?? "";
    const back = h("button", { type: "button", class: "pw-quiet", title: one.others ? `${plural(one.others, "other pair")} of the same answer go with it` : null, onclick: () => this.undo(one.answer) }, "Take back");
    return h("li", {}, h("span", { class: `pw-pill ${tone}` }, WORDS[one.verdict]), h("span", {}, h("b", {}, one.source), h("span", { class: "pw-muted pw-small" }, ` ${FORM.format(new Date(one.at))}`)), this.may && one.mine && back);
  }
}

const name = (pair) => `${pair.a.id}-${pair.b.id}`;
const said = (pair) => pair.said.map((one) => `${one.source}: ${WORDS[one.verdict]}`).join(", ") || "by what follows";
