// A goal for this session, and a word when it is time to rest. Neither ever stands in the way of the next question.

import { h } from "../dom.js";
import { toast } from "../toast.js";

const KEPT = "pairwright/goal";
const GOALS = [20, 50, 100, 200];
const PAUSE_MS = 60_000; // longer than this between two answers is a rest
const LONG_MS = 25 * 60_000;

export class Goal {
  constructor() {
    this.size = GOALS.includes(Number(localStorage.getItem(KEPT))) ? Number(localStorage.getItem(KEPT)) : 50;
    this.bar = h("i");
    this.button = h("button", { type: "button", class: "pw-quiet pw-goal", onclick: () => this.next() });
    this.node = h("span", { class: "pw-run" }, h("span", { class: "pw-bar", "aria-hidden": "true" }, this.bar), this.button);
    this.since = this.last = null;
    this.draw(0);
  }

  next() {
    this.size = GOALS[(GOALS.indexOf(this.size) + 1) % GOALS.length];
    try { localStorage.setItem(KEPT, String(this.size)); } catch { /* a private window */ }
    this.draw(this.answered);
  }

  draw(answered) {
    this.answered = answered;
    this.bar.style.width = `${Math.min(100, (100 * answered) / this.size)}%`;
    this.button.textContent = `goal ${this.size}`;
    this.button.setAttribute("aria-label", `Goal of this session: ${this.size} answers, ${answered} given. Change`);
  }

  answer(answered, now = Date.now()) {
    if (this.last === null || now - this.last > PAUSE_MS) this.since = now;
    this.last = now;
    this.draw(answered);
    if (answered === this.size) toast(`${answered} answers: that was your goal. Everything is saved; stop here or go on.`);
    if (now - this.since < LONG_MS) return;
    this.since = now;
    toast("25 minutes without a rest. Look away for a moment: tired eyes make mistakes, and nothing here runs away.");
  }
}
