// Two pictures a method would pull together or push apart, and the buttons that grade them.

import { picture } from "../api.js";
import { h } from "../dom.js";

// What a verdict says about the method, by kind of strip.
const WORDS = { positives: { same: ["right", "good"], different: ["wrong", "bad"] }, push: { same: ["false negative", "bad"], different: ["right", "good"] },
  detected: { same: ["right", "good"], different: ["wrong", "bad"] } };

export class Pair {
  constructor(pair, kind, { may, grade, undo }) {
    Object.assign(this, { kind, may, since: null });
    this.say = Object.fromEntries(["same", "different"].map((verdict) => [verdict, h("button", { type: "button", class: verdict, tabindex: "-1", onclick: (event) => { event.stopPropagation(); this.press(verdict, grade, undo); } }, verdict === "same" ? "Same" : "Different")]));
    this.foot = h("div", { class: "pw-pair-foot" });
    this.buttons = h("div", { class: "pw-pair-say" }, Object.values(this.say));
    const alike = `${Math.round(100 * pair.cosine)} % alike`;
    this.node = h("div", { class: "pw-pair", tabindex: "0", role: "group", "aria-label": `${pair.a.name} and ${pair.b.name}, ${alike}`, "aria-keyshortcuts": "S D Z", title: `${pair.a.name} and ${pair.b.name}`,
      onpointerenter: () => this.look(), onfocus: () => this.look() },
      h("span", { class: "pw-two" }, [pair.a, pair.b].map((item) => h("img", { src: picture(item.media, 256), alt: item.name, loading: "lazy", decoding: "async" }))), this.foot, may && this.buttons);
    this.alike = h("span", { class: "pw-muted pw-num", title: pair.term ? `term: ${pair.term}` : "" }, alike, pair.term && ` \u00b7 ${pair.term.replaceAll("_", " ")}`);
    this.show(pair);
  }

  look() { this.since ??= performance.now(); }

  seconds() { return this.since === null ? null : Math.min(86_400, (performance.now() - this.since) / 1000); }

  // A press on what is already said takes it back.
  press(verdict, grade, undo) {
    this.node.focus({ preventScroll: true });
    if (this.pair.answer && this.pair.verdict === verdict) undo(this);
    else grade(this, verdict);
  }

  show(pair) {
    this.pair = pair;
    this.node.dataset.verdict = pair.verdict ?? "";
    const [word, tone] = WORDS[this.kind][pair.verdict] ?? ["", ""];
    this.foot.replaceChildren(this.alike, ...(word ? [h("span", { class: `pw-pill ${tone}` }, word)] : []));
    for (const [verdict, button] of Object.entries(this.say)) {
      button.setAttribute("aria-pressed", String(pair.verdict === verdict));
      button.disabled = Boolean(pair.verdict) && !pair.answer;
      button.title = button.disabled ? "other answers settle this pair" : pair.answer && pair.verdict === verdict ? "press again to take it back" : "";
    }
  }
}
