// The name of a group: a heading that becomes a field. The name is tied to one picture, so it survives another clustering.

import { criterion } from "../bus.js";
import { h } from "../dom.js";

export class Naming {
  constructor(box, group) {
    Object.assign(this, { box, group });
    this.head = h("h2", {});
    this.field = h("input", { type: "text", maxlength: "80", "aria-label": "Name of this group", placeholder: "what are these?", onkeydown: (event) => this.key(event), onblur: () => this.close() });
    this.pen = box.may && h("button", { type: "button", class: "pw-quiet pw-pen", "aria-keyshortcuts": "N", onclick: () => this.edit() }, "Name ", h("kbd", { "aria-hidden": "true" }, "N"));
    this.node = h("span", { class: "pw-naming" }, this.head, this.pen);
  }

  show(title) { this.head.textContent = title; }

  edit() {
    if (!this.box.may) return;
    this.field.value = this.group().names[0]?.name ?? "";
    this.node.replaceChildren(this.field);
    this.field.focus();
    this.field.select();
  }

  key(event) {
    if (event.key === "Enter") this.save();
    else if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    this.close();
  }

  close() { if (this.node.contains(this.field)) this.node.replaceChildren(this.head, ...(this.pen ? [this.pen] : [])); }

  save() {
    const group = this.group();
    const now = group.names[0];
    const name = this.field.value.trim();
    if (name === (now?.name ?? "")) return;
    const item = now?.item ?? group.anchor;
    this.box.name({ criterion: criterion().id, item, name }, name ? `the name \u201c${name}\u201d` : "the name's removal", now?.name ?? "");
    group.names = [...(name ? [{ ...now, item, name }] : []), ...group.names.slice(1)];
    this.show(group.names.map((one) => one.name).join(" \u00b7 ") || `Group ${group.id}`);
  }
}
