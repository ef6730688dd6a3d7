// Answers on their way into the groups of a large collection: begun by itself, how far it is, and a way to stop it.

import { post } from "../api.js";
import { criterion, on } from "../bus.js";
import { h } from "../dom.js";
import { toast } from "../toast.js";

export class Taking {
  // done(): the groups are to be read again.
  constructor(may, done) {
    Object.assign(this, { may, done, job: null, fresh: true, stopped: null, nodes: [] });
    on("job", (event) => event.kind === "map_groups" && event.criterion === criterion()?.id && this.told(event));
  }

  // What it says, for one place on the screen.
  node() {
    const node = h("span", { class: "pw-taking", role: "status", hidden: true });
    this.nodes.push(node);
    return node;
  }

  // read: the newest page of groups or of a group.
  show({ fresh, job }) {
    Object.assign(this, { fresh, job });
    if (fresh) this.stopped = null;
    if (!fresh && !job && this.may && !this.stopped) this.begin();
    this.draw();
  }

  async begin() {
    this.stopped = null;
    try { this.job = await post("map", { criterion: criterion().id, what: "groups" }); } catch (error) { this.halt(error.message); }
    this.draw();
  }

  async cancel() {
    const { job } = this;
    this.halt("stopped");
    if (job) await post("map/cancel", { criterion: criterion().id, job: job.id }).catch(() => {}); // it may just have ended
  }

  halt(why) {
    Object.assign(this, { stopped: why, job: null });
    this.draw();
  }

  told(event) {
    if (event.state === "running") { if (this.job?.id === event.job) { this.job.progress = event.progress; this.draw(); } return; }
    if (event.state === "failed") { this.halt("failed"); toast(event.note || "The groups could not be worked out.", { bad: true }); }
    if (event.state === "done") this.done();
  }

  draw() {
    const part = Math.round(100 * (this.job?.progress ?? 0));
    for (const node of this.nodes) {
      node.hidden = this.fresh || !(this.job || this.may);
      if (this.job) node.replaceChildren(h("span", { class: "pw-pill warn pw-num" }, `taking your answers in\u2026 ${part} %`), h("span", { class: "pw-bar", "aria-hidden": "true" }, h("i", { style: { width: `${part}%` } })), ...(this.may ? [h("button", { type: "button", class: "pw-quiet", onclick: () => this.cancel() }, "Cancel")] : []));
      else node.replaceChildren(h("span", { class: "pw-pill warn" }, "newest answers not in yet"), h("button", { type: "button", class: "pw-quiet", onclick: () => this.begin() }, "Take them in"));
    }
  }
}
