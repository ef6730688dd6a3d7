// The deep refresh: ask for one, see how far it is and how its loss goes, stop it, read what the last one came to.

import { get, post } from "../api.js";
import { criterion, on } from "../bus.js";
import { h, plural } from "../dom.js";
import { toast } from "../toast.js";
import { spark } from "./spark.js";

export const isRefresh = (run) => Boolean(run?.trigger?.startsWith("refresh"));
const PACES = [["1", "as fast as it may"], ["0.5", "half of the time"], ["0.25", "a quarter of the time"]];
const ENDS = { done: ["done", "good"], failed: ["failed", "bad"], cancelled: ["stopped", "warn"] };

export class Refresh {
  constructor(can) {
    Object.assign(this, { can, state: null, points: [], run: null });
    this.node = h("section", { class: "pw-card pw-refresh", "aria-label": "Deep refresh", hidden: true });
    this.progress = h("i");
    this.note = h("span", { class: "pw-small pw-num", "aria-live": "polite" });
    this.curve = h("div", { class: "pw-refresh-curve" });
    on("job", (event) => this.job(event));
  }

  async load(runs) {
    const chosen = criterion();
    this.node.hidden = !chosen;
    if (!chosen) return;
    const state = await get("refresh", { criterion: chosen.id });
    if (chosen.id !== criterion()?.id) return;
    const newest = runs.find(isRefresh);
    if (newest?.id !== this.run) this.points = [];
    Object.assign(this, { state, run: newest?.id ?? null });
    this.draw();
  }

  // event: {job, kind, state, progress, note}
  job(event) {
    if (event.kind !== "refresh") return;
    if (event.state === "running" && this.state?.job?.id === event.job && this.state.job.status === "running") return this.move(event.progress, event.note);
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.load([{ id: this.run, trigger: "refresh" }]).catch((error) => toast(error.message, { bad: true })), 150);
    if (event.state === "failed" && this.state?.job?.id === event.job) toast(event.note, { bad: true });
  }

  // event: {run, step, of, loss}, of a refresh
  step(event) {
    if (this.run !== event.run) Object.assign(this, { run: event.run, points: [] });
    if (Number.isFinite(event.loss)) this.points = [...this.points.filter((one) => one.x < event.step), { x: event.step, y: event.loss }];
    this.trace();
  }

  move(progress, note) {
    this.progress.style.width = `${Math.round(100 * progress)}%`;
    this.progress.parentElement?.setAttribute("aria-valuenow", String(Math.round(100 * progress)));
    this.note.textContent = note || "waiting for its turn\u2026";
  }

  trace() {
    const drawn = this.points.length > 1 && h("figure", { class: "pw-way-small" }, spark(this.points, { word: "loss", unit: "reports" }),
      h("figcaption", { class: "pw-muted" }, `loss ${this.points[0].y.toFixed(2)} to ${this.points.at(-1).y.toFixed(2)}`));
    this.curve.replaceChildren(...(drawn ? [drawn] : []));
  }

  draw() {
    const { job, last, every } = this.state;
    const head = h("div", { class: "pw-live-head" }, h("h2", {}, "Deep refresh"), job ? h("span", { class: "pw-pill warn" }, job.status === "queued" ? "waiting" : "under way") : last && this.ended(last),
      every > 0 && h("span", { class: "pw-muted pw-small" }, `by itself after every ${plural(every, "answer")}`));
    const words = h("p", { class: "pw-muted pw-small" }, "Teaches the backbone itself what the answers say, in the background. A tenth of the pictures is held out; what was answered about them decides whether the result asks the questions or is kept. You can go on labelling: nothing you answer meanwhile is lost.");
    this.node.replaceChildren(head, words, job ? this.under(job) : this.form(), ...this.told(job ? null : last));
    this.node.dataset.state = job ? job.status : last?.status ?? "none";
    if (job) { this.move(job.progress, job.note); this.trace(); }
  }

  ended(last) {
    const [word, tone] = last.status === "done" ? (last.result.served ? ["served", "good"] : ["kept, not served", ""]) : ENDS[last.status] ?? [last.status, ""];
    return h("span", { class: `pw-pill ${tone}` }, word);
  }

  told(last) {
    if (!last) return [];
    const said = last.status === "done" ? last.result.reason : last.error;
    const { served, version } = last.result;
    const way = last.status === "done" && version && (served ? `Version ${version} below can be rolled back.` : `Version ${version} below can be promoted by hand.`);
    return said ? [h("p", { class: "pw-reason", data: { result: last.status } }, said), ...(way ? [h("p", { class: "pw-muted pw-small" }, way)] : [])] : [];
  }

  under(job) {
    const bar = h("div", { class: "pw-bar", role: "progressbar", "aria-label": "deep refresh", "aria-valuemin": "0", "aria-valuemax": "100" }, this.progress);
    return h("div", { class: "pw-refresh-now" }, h("div", { class: "pw-refresh-bar" }, bar, this.note), this.curve,
      this.can && h("button", { type: "button", class: "pw-stop", onclick: () => this.ask("refresh/cancel", {}, "Stopping after this step. What was trained is kept.") }, "Stop"));
  }

  form() {
    const { answers, methods } = this.state;
    if (!this.can) return h("p", { class: "pw-small" }, "Curators can start one.");
    const method = h("select", { name: "method" }, methods.map((one) => h("option", { value: one.name, selected: one.name === this.state.default, title: one.idea }, one.name.replaceAll("_", " "))));
    const share = h("select", { name: "share" }, PACES.map(([value, word]) => h("option", { value }, word)));
    const epochs = h("input", { type: "number", name: "epochs", min: "1", max: "1000", step: "1", placeholder: "as usual" });
    const idea = h("p", { class: "pw-muted pw-small pw-refresh-idea" });
    const tell = () => { idea.textContent = methods.find((one) => one.name === method.value)?.idea ?? ""; };
    method.addEventListener("change", tell);
    tell();
    const go = h("button", { type: "button", class: "pw-primary", disabled: !answers, onclick: () => epochs.reportValidity() && this.ask("refresh", { method: method.value, epochs: epochs.value ? Number(epochs.value) : null, share: Number(share.value) }, "The refresh starts in the background.") }, "Deep refresh");
    return h("div", { class: "pw-refresh-form" }, h("label", { class: "pw-field" }, "Method", method), h("label", { class: "pw-field" }, "Epochs", epochs), h("label", { class: "pw-field" }, "Works", share), go,
      answers ? idea : h("p", { class: "pw-muted pw-small pw-refresh-idea" }, "Answer some questions first."));
  }

  async ask(path, body, word) {
    try {
      await post(path, { criterion: this.state.criterion, ...body });
      toast(word);
    } catch (error) {
      toast(error.message, { bad: true });
    }
    this.load([{ id: this.run, trigger: "refresh" }]).catch((error) => toast(error.message, { bad: true }));
  }
}
