// The line at the bottom: saved or not, this session, answers per minute, what the last answers settled.

import { get } from "../api.js";
import { h, plural } from "../dom.js";
import { Dropped } from "./dropped.js";
import { Goal } from "./goal.js";

const WINDOW_MS = 5 * 60_000;

export class Status {
  constructor() {
    this.saved = h("span", { class: "pw-pill good pw-saved", role: "status", "aria-live": "polite" }, "ready");
    this.count = h("b", {}, "0");
    this.goal = new Goal();
    this.rate = h("span", { class: "pw-rate" });
    this.effect = h("span", { class: "pw-effect" });
    this.dropped = new Dropped();
    this.total = h("span", { class: "pw-total pw-num" });
    this.credit = h("span", { class: "pw-credit" });
    this.times = [];
    this.answered = 0;
    this.node = h("div", { class: "pw-status" }, this.saved,
      h("span", { class: "pw-done" }, this.count, " this session"), this.goal.node,
      this.rate, this.effect, this.dropped.button, this.total, this.credit, this.dropped.panel);
  }

  answer() {
    this.answered += 1;
    this.times.push(Date.now());
    this.goal.answer(this.answered);
    this.draw();
  }

  undo() {
    this.answered = Math.max(0, this.answered - 1);
    this.times.pop();
    this.goal.draw(this.answered);
    this.draw();
  }

  draw() {
    this.count.textContent = String(this.answered);
    const recent = this.times.filter((time) => time > Date.now() - WINDOW_MS);
    const minutes = recent.length > 2 ? (recent.at(-1) - recent[0]) / 60_000 : 0;
    this.rate.replaceChildren(...(minutes ? [h("b", {}, String(Math.max(1, Math.round((recent.length - 1) / minutes)))), " a minute"] : []));
  }

  // waiting: answers not acknowledged yet; offline: the last attempt failed.
  waiting(waiting, everSaved) {
    this.saved.className = `pw-pill pw-saved ${waiting ? "warn" : "good"}`;
    this.saved.textContent = waiting ? `not saved yet (${waiting})` : everSaved ? "saved" : "ready";
    this.saved.dataset.waiting = String(waiting);
  }

  // Ask the server what it all amounts to; at most once in a while.
  refresh(criterion) {
    this.wanted = criterion;
    this.timer ??= setTimeout(async () => {
      this.timer = null;
      try { this.progress(await get("progress", { criterion: this.wanted })); this.dropped.refresh(this.wanted); } catch { /* the next one will tell */ }
    }, 800);
  }

  progress(p) {
    if (p.criterion !== this.wanted) return;
    this.answers = p.answers;
    this.total.textContent = `${plural(p.answers, "answer")} in all`;
    this.credit.textContent = p.credit ?? "";
    this.review = p.review ?? null;
    if (this.review) { this.effect.textContent = this.review.words; return; }
    const settled = p.effect > 0 && p.effect_answers > 0;
    this.effect.textContent = settled ? `Your last ${plural(p.effect_answers, "answer")} settled ${plural(p.effect, "pair")}` : "";
  }
}
