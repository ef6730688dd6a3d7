// Before and after: two versions on one map, and a slider that lets every point travel from one to the other.

import { h } from "../dom.js";

const TRAVEL_MS = 1400;
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export class Between {
  // picked(version or null); moved(part in [0, 1]); farthest(): choose what moved most.
  constructor(call) {
    this.call = call;
    this.select = h("select", { "aria-label": "Compare with another version", onchange: () => call.picked(Number(this.select.value) || null) });
    this.range = h("input", { type: "range", min: "0", max: "100", value: "0", "aria-label": "From before to after", oninput: () => { this.stop(); call.moved(this.part); } });
    this.play = h("button", { type: "button", onclick: () => this.travel() }, "Play");
    this.far = h("button", { type: "button", onclick: () => call.farthest() }, "Choose what moved most");
    this.before = h("span", { class: "pw-small pw-muted" });
    this.after = h("span", { class: "pw-small pw-muted" });
    this.slide = h("div", { class: "pw-slide", hidden: true }, this.before, this.range, this.after, this.play, this.far);
    this.field = h("label", { class: "pw-field" }, "Compare with", this.select);
  }

  // versions: newest first; drawn: the one on the map; other: the one it is compared with, or null.
  show(versions, drawn, other) {
    const option = (one) => h("option", { value: one.id }, `version ${one.id}${one.status === "promoted" ? " (served)" : ""}`);
    this.select.replaceChildren(h("option", { value: "" }, "no other version"), ...versions.filter((one) => one.id !== drawn).map(option));
    this.select.value = other ? String(other) : "";
    this.select.disabled = versions.length < 2;
    this.select.title = versions.length < 2 ? "There is only one version yet." : "";
    this.slide.hidden = !other;
    this.flipped = Boolean(other) && other < drawn; // the older one is always on the left
    this.before.textContent = `version ${this.flipped ? other : drawn}`;
    this.after.textContent = `version ${this.flipped ? drawn : other}`;
    if (!other) this.at(0);
  }

  // 0: the version that is drawn, 1: the one it is compared with.
  get part() { const value = Number(this.range.value) / 100; return this.flipped ? 1 - value : value; }

  at(part) { this.range.value = String(Math.round(100 * (this.flipped ? 1 - part : part))); }

  stop() { cancelAnimationFrame(this.frame); this.play.textContent = "Play"; this.playing = false; }

  // There, or back where it is there already. At once where motion is not wanted.
  travel() {
    if (this.playing) return this.stop();
    const from = this.part;
    const to = from > 0.5 ? 0 : 1;
    const go = (part) => { this.at(part); this.call.moved(part); };
    if (calm()) return go(to);
    const began = performance.now();
    this.playing = true;
    this.play.textContent = "Stop";
    const step = (now) => {
      const done = Math.min(1, (now - began) / TRAVEL_MS);
      const eased = done * done * (3 - 2 * done);
      go(from + (to - from) * eased);
      if (done < 1) this.frame = requestAnimationFrame(step);
      else this.stop();
    };
    this.frame = requestAnimationFrame(step);
  }
}
