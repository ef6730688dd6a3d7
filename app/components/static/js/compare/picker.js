// What to compare: methods by family with their idea, settings, which embedding; and the work under way.

import { h, plural } from "../dom.js";
import { Relation } from "./relation.js";

const MOST = 12;
const spoken = (name) => name.replaceAll("_", " ");

export class Picker {
  constructor({ may, compare, cancel }) {
    Object.assign(this, { may, call: { compare, cancel }, chosen: new Set(), known: "" });
    this.list = h("div", { class: "pw-method-list" });
    this.count = h("span", { class: "pw-pill" });
    this.more = h("details", { class: "pw-choose" }, h("summary", {}, h("span", {}, "Methods"), this.count), this.list);
    this.options = h("input", { type: "text", placeholder: "temperature=.1 negatives=hcl", maxlength: "400", "aria-describedby": "pw-compare-help" });
    this.embedding = h("select", {}, h("option", { value: "served" }, "as the model sees them"), h("option", { value: "untaught" }, "before any answer taught it"));
    this.relation = new Relation({ may, changed: () => this.tell() });
    this.button = h("button", { type: "button", class: "pw-primary", onclick: () => this.go() }, "Compare");
    this.bar = h("i");
    this.work = h("div", { class: "pw-compare-work", hidden: true }, h("span", { class: "pw-small pw-muted", role: "status" }, "drawing pairs\u2026"),
      h("div", { class: "pw-bar", role: "progressbar", "aria-label": "drawing pairs" }, this.bar), h("button", { type: "button", class: "pw-quiet", onclick: () => cancel() }, "Cancel"));
    this.node = h("section", { class: "pw-card pw-compare-setup" },
      h("div", {}, h("h2", {}, "Which pairs would a method create?"), h("p", { class: "pw-muted pw-small" }, "Nothing is trained. Batches of your pictures go through each method as its training would have them, and your answers judge the pairs.")),
      this.more, this.relation.node,
      may && h("div", { class: "pw-compare-row" }, h("label", { class: "pw-field pw-wide" }, "Settings, for the methods that have them", this.options), h("label", { class: "pw-field" }, "Pictures", this.embedding), this.button, this.work));
    this.options.addEventListener("input", () => this.tell());
    this.options.addEventListener("keydown", (event) => { if (event.key === "Enter") this.go(); });
  }

  show({ methods, compared, job, related }) {
    this.pairs = new Set(methods.filter((one) => "by" in one.settings).map((one) => one.name)); // by a rule of the user
    const names = `${methods.map((one) => one.name).join()} ${Object.keys(related).join()}`;
    if (names !== this.known) this.relation.offer(related, compared?.options ?? {});
    if (names !== this.known) this.fill(methods, compared);
    this.known = names;
    this.work.hidden = !job;
    if (!job) this.bar.style.width = "0";
    this.button.hidden = Boolean(job);
    this.tell();
  }

  // The first time: what was compared last, else nothing, with the list open.
  fill(methods, compared) {
    const last = new Set((compared?.methods ?? []).map((one) => one.name));
    this.chosen = new Set(methods.map((one) => one.name).filter((name) => last.has(name)));
    this.more.open = !this.chosen.size;
    if (compared) {
      this.options.value = Object.entries(compared.options).filter(([key]) => key !== "by" && key !== "balance").map(([key, value]) => `${key}=${value}`).join(" ");
      this.embedding.value = compared.embedding;
    }
    const families = Map.groupBy ? Map.groupBy(methods, (one) => one.family) : grouped(methods);
    this.list.replaceChildren(...[...families].map(([family, all]) => h("fieldset", {}, h("legend", {}, family), all.map((one) => this.choice(one)))));
  }

  choice(one) {
    const box = h("input", { type: "checkbox", value: one.name, checked: this.chosen.has(one.name), disabled: !this.may,
      onchange: () => { if (box.checked) this.chosen.add(one.name); else this.chosen.delete(one.name); this.tell(); } });
    return h("label", { class: "pw-choice", title: `Needs: ${one.needs}` }, box, h("span", {}, h("b", {}, spoken(one.name)), " ", h("span", { class: "pw-muted" }, one.idea)));
  }

  tell() {
    this.count.textContent = this.chosen.size ? `${this.chosen.size} chosen` : "none chosen";
    this.relation.node.hidden = ![...this.chosen].some((name) => this.pairs?.has(name));
    const lacking = !this.relation.node.hidden && this.chosen.has("attribute") && !this.relation.options().by && !/(^|[\s,])by=/.test(this.options.value);
    this.button.disabled = !this.chosen.size || this.chosen.size > MOST || lacking;
    this.button.title = lacking ? "Say what makes two pictures a pair" : this.chosen.size > MOST ? `At most ${plural(MOST, "method")} at once` : "";
  }

  progress(share) { this.bar.style.width = `${Math.round(100 * share)}%`; }

  go() {
    if (this.button.disabled || this.button.hidden) return;
    const words = this.options.value.trim().split(/[\s,]+/).filter(Boolean);
    const options = Object.fromEntries(words.map((one) => [one.split("=")[0], one.split("=").slice(1).join("=")]));
    if (!this.relation.node.hidden) Object.assign(options, this.relation.options(), options);
    this.more.open = false;
    this.call.compare({ methods: [...this.chosen], options, embedding: this.embedding.value });
  }
}

function grouped(methods) {
  const found = new Map();
  for (const one of methods) found.set(one.family, [...(found.get(one.family) ?? []), one]);
  return found;
}
