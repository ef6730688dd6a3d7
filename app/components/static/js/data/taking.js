// Taking tables out: which one, in which format, as a download. Whole data sets and models leave by the command line.

import { criterion, on } from "../bus.js";
import { download } from "../api.js";
import { h } from "../dom.js";
import { toast } from "../toast.js";

const TABLES = {
  groups: ["Groups", "every picture and the group it belongs to"],
  pairs: ["Pairs", "every verdict that stands, and who gave it"],
  answers: ["Answers", "the whole log, with what was undone"],
  embeddings: ["Embedding", "the vector of every picture"],
  captions: ["Captions", "each with its verdict"],
};
const FORMATS = { csv: "CSV", parquet: "Parquet", jsonl: "JSONL", safetensors: "safetensors" };

export class Taking {
  constructor({ may }) {
    this.table = h("select", { onchange: () => this.fit() });
    this.format = h("select", {});
    this.button = h("button", { type: "submit" }, "Download");
    this.about = h("p", { class: "pw-muted pw-small" });
    const form = h("form", { class: "pw-add", onsubmit: (event) => this.take(event) },
      h("label", { class: "pw-field" }, "What", this.table), h("label", { class: "pw-field" }, "As", this.format), this.about, this.button);
    const body = may ? form : h("p", { class: "pw-muted" }, "Taking data out needs the role curator. Ask an admin.");
    this.node = h("section", { class: "pw-card pw-take-out" }, h("h2", {}, "Take out"), body);
    on("criterion", () => this.show());
    this.show();
  }

  // A criterion asks either about pairs of pictures or about captions.
  show() {
    const about = criterion();
    const names = about?.captions ? ["captions", "answers"] : ["groups", "pairs", "answers", "embeddings"];
    this.table.replaceChildren(...names.map((name) => h("option", { value: name }, TABLES[name][0])));
    this.button.disabled = !about;
    this.fit();
  }

  fit() {
    const about = criterion();
    this.about.textContent = about ? `Of \u201c${about.name}\u201d: ${TABLES[this.table.value][1]}.` : "First say above what \u201csame\u201d means.";
    const names = Object.keys(FORMATS).filter((name) => name !== "safetensors" || this.table.value === "embeddings");
    const chosen = this.format.value;
    this.format.replaceChildren(...names.map((name) => h("option", { value: name }, FORMATS[name])));
    if (names.includes(chosen)) this.format.value = chosen;
  }

  async take(event) {
    event.preventDefault();
    const [about, table, format] = [criterion(), this.table.value, this.format.value];
    this.button.disabled = true;
    this.button.textContent = "Writing\u2026";
    try {
      await download(`exports/${table}`, { criterion: about.id, format }, `${about.name} ${table}.${format}`);
    } catch (error) { toast(error.message, { bad: true }); }
    this.button.textContent = "Download";
    this.button.disabled = false;
  }
}
