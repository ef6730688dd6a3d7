// The criteria: each says in one sentence what "same" means. The same pictures may carry many.

import { post } from "../api.js";
import { choose, criterion, on } from "../bus.js";
import { h } from "../dom.js";
import { toast } from "../toast.js";

export class Criteria {
  constructor({ may, changed }) {
    this.changed = changed;
    this.list = h("ul", { class: "pw-criteria" });
    this.select = h("select", { required: true });
    this.node = h("section", { class: "pw-card" }, h("h2", {}, "What \u201csame\u201d means"), this.list, may ? this.form() : null);
    on("criterion", () => this.show(this.all ?? []));
  }

  form() {
    const name = h("input", { type: "text", maxlength: "80", required: true, placeholder: "material" });
    const prompt = h("input", { type: "text", maxlength: "400", placeholder: "Made of the same material?" });
    const captions = h("input", { type: "text", maxlength: "200", placeholder: "empty: pairs of pictures" });
    const words = h("input", { type: "text", maxlength: "200", placeholder: "ngrams: by their letters; minilm: by their meaning" });
    const add = async (event) => {
      event.preventDefault();
      try {
        await post("criteria", { name: name.value.trim(), collection: Number(this.select.value), prompt: prompt.value.trim(), captions: captions.value.trim(), words: words.value.trim() });
        name.value = prompt.value = captions.value = words.value = "";
        await this.changed();
      } catch (error) { toast(error.message, { bad: true }); }
    };
    return h("form", { class: "pw-add", onsubmit: add },
      h("label", { class: "pw-field" }, "Short name", name), h("label", { class: "pw-field" }, "Question to ask", prompt),
      h("label", { class: "pw-field" }, "Or review the captions in column", captions),
      h("label", { class: "pw-field" }, "Words are read by", words),
      h("label", { class: "pw-field" }, "About the pictures of", this.select), h("button", { type: "submit" }, "Add"));
  }

  collections(all) {
    this.select.replaceChildren(...all.map((one) => h("option", { value: one.id }, one.name)));
  }

  show(all) {
    this.all = all;
    const row = (one) => h("li", {}, h("button", { type: "button", class: "pw-criterion", "aria-current": one.id === criterion()?.id ? "true" : null, onclick: () => choose(one.id) },
      h("b", {}, one.name), h("span", { class: "pw-muted" }, one.prompt)));
    this.list.replaceChildren(...(all.length ? all.map(row) : [h("li", { class: "pw-muted" }, "None yet. Add one below, for example \u201cMade of the same material?\u201d")]));
  }
}
