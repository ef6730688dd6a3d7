// The training screen: what the trainer does right now, why, and every model version with its way back.

import { get, post } from "../api.js";
import { criterion, me, on } from "../bus.js";
import { empty, h } from "../dom.js";
import { toast } from "../toast.js";
import { chart } from "./chart.js";
import { embedding } from "./embedding.js";
import { negatives } from "./negatives.js";
import { row } from "./versions.js";

export async function start(element) {
  const person = await me().catch(() => ({ role: "viewer" }));
  new Training(element, ["curator", "admin"].includes(person.role));
}

class Training {
  constructor(element, can) {
    Object.assign(this, { can, run: null, points: [], steps: null, past: [] });
    this.live = h("section", { class: "pw-card pw-live", "aria-label": "Training now" });
    this.look = h("div", { class: "pw-tiles3" });
    this.push = h("div", { class: "pw-pushes" });
    this.list = h("ol", { class: "pw-versions", "aria-label": "Model versions, newest first" });
    element.replaceChildren(h("div", { class: "pw pw-training" }, this.live, this.look, this.push, h("section", {}, h("h2", {}, "Versions"), this.list)));
    on("criterion", () => this.reload());
    on("training", (event) => this.step(event));
    for (const kind of ["version", "promotion"]) on(kind, (event) => { if (event.criterion === criterion()?.id) this.reload(); });
    on("online", () => this.reload());
    new ResizeObserver(() => this.points.length && this.show()).observe(element);
    this.reload();
  }

  reload() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.load().catch((error) => toast(error.message, { bad: true })), 120);
  }

  async load() {
    const chosen = criterion();
    if (!chosen) return this.nothing("Nothing to train yet", "Import pictures and add a criterion on the Data tab. Training starts by itself after the first answers.");
    const [{ versions }, { runs }] = await Promise.all([get("versions", { criterion: chosen.id }), get("runs", { criterion: chosen.id })]);
    if (chosen.id !== criterion()?.id) return;
    this.draw(versions);
    this.latest(runs[0] ?? null);
  }

  nothing(title, sentence) {
    this.live.replaceChildren(empty("spark", title, sentence));
    this.push.replaceChildren();
    this.list.replaceChildren();
  }

  draw(versions) {
    this.past = versions.filter((one) => one.metrics.negatives).map((one) => ({ version: one.id, negatives: one.metrics.negatives, policy: one.metrics.settings?.negatives })).reverse().slice(-20);
    const older = versions.some((one) => one.status === "kept" || one.status === "retired");
    const rows = versions.map((one) => row(one, { can: this.can, older, act: (name, version) => this.act(name, version) }));
    this.list.replaceChildren(...(rows.length ? rows : [h("li", {}, empty("clock", "No version yet", "The first one appears as soon as every picture has been looked at once."))]));
  }

  latest(run) {
    if (run && (this.run?.id !== run.id || run.status !== "running")) {
      this.points = run.steps.map(({ step, loss, losses, negatives: push }) => ({ step, loss, negatives: push, embedding: losses })).filter((one) => Number.isFinite(one.loss));
    }
    this.run = run;
    this.show();
  }

  // event: {run, step, of, loss, negatives, embedding, criterion}
  step(event) {
    if (event.criterion && event.criterion !== criterion()?.id) return;
    if (!this.run || this.run.id !== event.run) {
      this.run = { id: event.run, trigger: event.trigger ?? "", status: "running" };
      this.points = [];
      this.reload();
    }
    this.steps = event.of;
    if (Number.isFinite(event.loss)) this.points = [...this.points.filter((one) => one.step < event.step), { step: event.step, loss: event.loss, negatives: event.negatives, embedding: event.embedding }];
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.show(); });
  }

  show() {
    this.look.replaceChildren(...embedding(this.points));
    this.look.hidden = !this.look.children.length;
    if (!this.run) {
      this.push.replaceChildren();
      this.live.replaceChildren(empty("spark", "Waiting for answers", "After the first few answers the trainer starts by itself; its loss is drawn here while it learns."));
      return;
    }
    const running = this.run.status === "running";
    const last = this.points.at(-1);
    this.live.replaceChildren(
      h("div", { class: "pw-live-head" }, h("h2", {}, running ? "Learning now" : "Last lesson"),
        h("span", { class: `pw-pill ${running ? "warn" : this.run.status === "done" ? "good" : "bad"}` }, running && last ? `step ${last.step}${this.steps ? ` of ${this.steps}` : ""}` : this.run.status),
        h("span", { class: "pw-muted" }, this.run.trigger ? `because of ${this.run.trigger}` : "")),
      this.points.length ? h("figure", { class: "pw-figure" }, chart(this.points, running ? this.steps : null, Math.max(320, this.live.clientWidth - 46)), h("figcaption", { class: "pw-muted pw-small" }, "loss by step")) : h("p", { class: "pw-muted" }, running ? "starting\u2026" : this.run.note || "no losses were written"));
    this.live.dataset.points = String(this.points.length);
    this.pushing(running ? this.steps : null);
  }

  // Before the first step of a lesson is told, what pushed at the end of the last one stays in view.
  pushing(steps) {
    const told = this.points.filter((one) => one.negatives);
    const last = this.past.at(-1);
    const points = told.length || !last ? told : [{ step: 0, negatives: last.negatives }];
    this.push.replaceChildren(...negatives({ points, steps: told.length ? steps : null, past: this.past, width: Math.max(320, this.live.clientWidth) }));
  }

  async act(name, version) {
    try {
      await post(`versions/${version.id}/${name}`);
      toast(name === "promote" ? `Version ${version.id} asks the questions now.` : "The version before it asks the questions again.");
    } catch (error) {
      toast(error.message, { bad: true });
    }
    this.reload();
  }
}
