// The compare screen: pick methods, see the pairs each would create on this collection, grade them, read the figures.
// Drawing pairs takes seconds and happens on the server in the background; a grade changes the figures at once.

import { get, key, post } from "../api.js";
import { criterion, emit, me, on } from "../bus.js";
import { empty, h, plural } from "../dom.js";
import { toast } from "../toast.js";
import { Methods } from "./methods.js";
import { Picker } from "./picker.js";
import { Synthetic } from "./synthetic.js";
import { figures } from "./table.js";

export async function start(element) {
  const person = await me().catch(() => ({ role: "viewer" }));
  new Compare(element, person.role !== "viewer", person.name);
}

class Compare {
  constructor(element, may, name) {
    Object.assign(this, { may, state: null, drawn: null, beside: null });
    this.body = h("div", { class: "pw pw-compare" });
    this.picker = new Picker({ may, compare: (wish) => this.start(wish), cancel: () => this.cancel() });
    this.table = h("div");
    this.methods = new Methods({ may, grade: (pair, verdict, seconds) => this.grade(pair, verdict, seconds), undo: (pair) => this.undo(pair) });
    this.synthetic = new Synthetic({ may });
    element.replaceChildren(this.body);
    on("synthetic", (event) => { if (event.source !== name) { this.beside = null; if (this.shown()) this.reload(400); } });
    on("criterion", () => this.reload());
    on("online", () => this.reload());
    for (const kind of ["answer", "undo", "promotion"]) on(kind, () => this.shown() && this.reload(400));
    on("job", (event) => this.job(event));
    let width = 0; // also called when the tab comes into view, for the width changes then
    new ResizeObserver(() => { const now = this.body.clientWidth; if (now && !width) this.reload(); width = now; }).observe(this.body);
    this.reload();
  }

  shown() { return this.body.offsetParent !== null; }

  reload(pause = 120) {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.load().catch((error) => toast(error.message, { bad: true })), pause);
  }

  async load() {
    const chosen = criterion();
    if (!chosen) return this.nothing("Nothing to compare yet", "Import pictures and add a criterion on the Data tab. Then see which pairs each method would create.");
    const state = await get("compare", { criterion: chosen.id });
    if (chosen.id !== criterion()?.id) return;
    this.state = state;
    this.draw();
    if (chosen.collection === this.beside) return;
    this.beside = chosen.collection;
    await this.synthetic.show(chosen.collection);
  }

  nothing(title, sentence) {
    this.drawn = null;
    this.body.replaceChildren(h("section", { class: "pw-card" }, empty("images", title, sentence, h("button", { type: "button", class: "pw-primary", onclick: () => emit("tab", "Data") }, "Go to Data"))));
  }

  draw() {
    const { items, compared, job, methods } = this.state;
    if (items < 2) return this.nothing("No pairs yet", "This collection has fewer than two pictures. Import some on the Data tab.");
    if (!this.body.contains(this.picker.node)) this.body.replaceChildren(this.picker.node, this.table, this.methods.node, this.synthetic.node);
    this.picker.show(this.state);
    this.table.replaceChildren(...(compared ? [figures(compared, this.state)] : job ? [] : [this.how()]));
    this.methods.show(compared, methods);
    this.body.dataset.compared = compared ? compared.methods.map((one) => one.name).join(" ") : "";
  }

  how() {
    return h("section", { class: "pw-card" }, empty("spark", "Before training anything",
      this.may ? "Choose two or more methods above. For a batch of your pictures you see which pairs each would pull together and push apart, and your answers say how many are right."
        : "Nobody has compared methods here yet. Annotators can."));
  }

  async start(wish) {
    try {
      this.state.job = await post("compare", { criterion: this.state.criterion, ...wish });
      this.draw();
    } catch (error) {
      toast(error.message, { bad: true });
    }
  }

  async cancel() {
    await post("compare/cancel", { criterion: this.state.criterion }).catch((error) => toast(error.message, { bad: true }));
    this.reload();
  }

  // event: {job, kind, state, progress, note}
  job(event) {
    if (event.kind !== "compare") return;
    const ours = this.state?.job?.id === event.job;
    if (event.state === "running") return ours && this.picker.progress(event.progress);
    if (event.state === "failed" && ours) toast(event.note, { bad: true });
    this.reload();
  }

  async grade(pair, verdict, seconds) {
    if (pair.answer) await this.take(pair.answer);
    const said = await post("compare/grade", { criterion: this.state.criterion, a: pair.a.id, b: pair.b.id, verdict, seconds }, { idempotency: key() });
    await this.load();
    return said.id;
  }

  async undo(pair) {
    await this.take(pair.answer);
    await this.load();
  }

  take(answer) { return post(`answers/${answer}/undo`, {}, { idempotency: key() }); }
}
