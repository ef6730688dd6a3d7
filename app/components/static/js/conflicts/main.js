// The conflicts screen: contradictions one below the other; each says who said what, and asks the doubtful pairs again.

import { get, key, post } from "../api.js";
import { criterion, emit, me, on } from "../bus.js";
import { empty, h, plural } from "../dom.js";
import { toast } from "../toast.js";
import { Contradiction } from "./contradiction.js";

const SOON_MS = 700;

export async function start(element) {
  const person = await me().catch(() => ({ role: "viewer" }));
  new Conflicts(element, person);
}

class Conflicts {
  constructor(element, person) {
    this.may = person.role !== "viewer";
    this.settled = h("input", { type: "checkbox", onchange: () => this.load() });
    this.count = h("span", { class: "pw-pill", role: "status", "aria-live": "polite" });
    this.list = h("div", { class: "pw-contradictions" });
    this.root = h("div", { class: "pw pw-conflicts" },
      h("header", {}, h("h2", {}, "Contradictions"), this.count, h("label", { class: "pw-inline" }, this.settled, "also those that later answers outvoted")), this.list);
    element.replaceChildren(this.root);
    this.last = null; // the newest answer given here, for undo
    for (const kind of ["answer", "undo", "conflict"]) on(kind, (event) => { if (event.criterion === criterion()?.id) this.soon(); });
    on("criterion", () => this.load());
    this.root.addEventListener("keydown", (event) => this.press(event));
    new IntersectionObserver(([seen]) => { this.seen = seen.isIntersecting; if (this.seen) this.load(); }).observe(this.root);
  }

  soon() { this.timer ??= setTimeout(() => { this.timer = null; if (this.seen) this.load(); }, SOON_MS); }

  async load() {
    const about = criterion();
    if (!about) return this.nothing("images", "Nothing to contradict yet", "Import some pictures under Data and say what \u201csame\u201d means.");
    try {
      const found = await get("conflicts", { criterion: about.id, settled: this.settled.checked });
      if (found.criterion === criterion()?.id) this.show(found);
    } catch (error) {
      this.nothing("clock", "The contradictions could not be read", `${error.message} They are looked for again as soon as somebody answers.`);
    }
  }

  nothing(symbol, title, sentence, ...actions) {
    this.count.textContent = "";
    this.list.replaceChildren(empty(symbol, title, sentence, ...actions));
  }

  show(found) {
    this.root.dataset.open = String(found.open);
    if (!found.conflicts.length) {
      const label = h("button", { type: "button", class: "pw-primary", onclick: () => emit("tab", "Label") }, "Go to Label");
      if (!found.answers) return this.nothing("spark", "No answers yet", "Where answers contradict each other, the pairs worth asking again appear here.", label);
      return this.nothing("check", "No contradictions", `The ${plural(found.answers, "answer")} given so far fit together.`, label);
    }
    this.count.textContent = found.open ? `${plural(found.open, "open contradiction")}` : "all settled";
    this.count.className = `pw-pill ${found.open ? "warn" : "good"}`;
    const at = document.activeElement?.closest?.(".pw-again")?.dataset.pair;
    this.list.replaceChildren(...found.conflicts.map((one) => new Contradiction(one, { may: this.may, say: (pair, verdict) => this.say(pair, verdict), undo: (answer) => this.undo(answer) }).node));
    if (at) (this.list.querySelector(`.pw-again[data-pair="${at}"]`) ?? this.list.querySelector(".pw-again"))?.focus();
  }

  async say(pair, verdict) {
    const body = { criterion: criterion().id, a: pair.a.id, b: pair.b.id, verdict };
    await this.attempt(async () => { this.last = (await post("conflicts/answer", body, { idempotency: key() })).id; });
  }

  async undo(answer) { await this.attempt(() => post(`answers/${answer}/undo`, {}, { idempotency: `undo-${answer}` })); }

  async attempt(act) {
    try { await act(); } catch (error) { toast(`Not saved: ${error.message}`, { bad: true }); }
    await this.load();
  }

  // The same keys as on the Label screen, for the pair in focus.
  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.may) return;
    const name = event.key.toLowerCase();
    if (name === "z" && this.last) { event.preventDefault(); const last = this.last; this.last = null; this.undo(last); return; }
    const verdict = { s: "same", d: "different", u: "unsure", n: "not_comparable" }[name];
    const pair = event.target.closest?.(".pw-again");
    if (verdict && pair) { event.preventDefault(); pair.querySelector(`.${verdict}`)?.click(); }
  }
}
