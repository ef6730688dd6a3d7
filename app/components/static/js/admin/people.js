// Who may sign in, and as what. Roles change in place; nobody is ever deleted, because their answers carry their name.

import { get, post } from "../api.js";
import { h } from "../dom.js";
import { toast } from "../toast.js";
import { secret } from "./secret.js";

const ROLES = { viewer: "looks", annotator: "answers questions", robot: "a program that answers", curator: "imports, promotes", admin: "everything" };

export class People {
  constructor({ myself, chosen, changed }) {
    Object.assign(this, { myself, chosen, changed, current: null });
    this.body = h("tbody");
    this.node = h("section", { class: "pw-card pw-people" }, h("h2", {}, "People and robots"),
      h("div", { class: "pw-scroll", tabindex: "0", role: "region", "aria-label": "People and robots" }, h("table", { class: "pw-table" },
        h("thead", {}, h("tr", {}, ...["Name", "Role", "Tokens", "May sign in", ""].map((word) => h("th", { scope: "col" }, word)))), this.body)), this.form());
  }

  form() {
    const name = h("input", { type: "text", maxlength: "80", required: true, placeholder: "ada", autocomplete: "off" });
    const role = h("select", {}, ...Object.entries(ROLES).map(([one, words]) => h("option", { value: one, selected: one === "annotator" }, `${one}: ${words}`)));
    const add = async (event) => {
      event.preventDefault();
      const done = await this.attempt(() => post("users", { name: name.value.trim(), role: role.value }));
      if (!done) return;
      name.value = "";
      secret(`${done.user.name} may sign in now`, "Password", done.password, name);
    };
    return h("form", { class: "pw-row-form", onsubmit: add }, h("label", { class: "pw-field" }, "Name", name), h("label", { class: "pw-field" }, "Role", role),
      h("button", { type: "submit", class: "pw-primary" }, "Add"));
  }

  async load() {
    try {
      this.all = (await get("users")).users;
    } catch (error) { return toast(error.message, { bad: true }); }
    const focused = this.node.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.body.replaceChildren(...this.all.map((one) => this.row(one)));
    if (focused) this.node.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    this.choose(this.all.find((one) => one.id === this.current) ?? this.all[0]);
  }

  row(one) {
    const role = h("select", { "aria-label": `Role of ${one.name}`, data: { key: `role-${one.id}` }, onchange: () => this.change(one, { role: role.value }) },
      ...Object.keys(ROLES).map((word) => h("option", { value: word, selected: word === one.role }, word)));
    const active = h("input", { type: "checkbox", checked: one.active, "aria-label": `${one.name} may sign in`, data: { key: `active-${one.id}` }, onchange: () => this.change(one, { active: active.checked }) });
    const again = h("button", { type: "button", class: "pw-quiet", data: { key: `again-${one.id}` }, onclick: () => this.again(one, again) }, "New password");
    return h("tr", { data: { user: one.id }, class: one.active ? null : "pw-gone" },
      h("th", { scope: "row" }, h("button", { type: "button", class: "pw-name", data: { key: `name-${one.id}` }, onclick: () => this.choose(one) }, one.name), one.name === this.myself && h("span", { class: "pw-pill" }, "you")),
      h("td", {}, role), h("td", { class: "pw-num" }, String(one.tokens)), h("td", {}, active), h("td", {}, again));
  }

  choose(one) {
    this.current = one?.id ?? null;
    for (const row of this.body.children) row.toggleAttribute("data-chosen", Number(row.dataset.user) === this.current);
    if (one) this.chosen(one);
  }

  change(one, what) { return this.attempt(() => post(`users/${one.id}`, what)); }

  async again(one, button) {
    if (!confirm(`Give ${one.name} a new password? Every session of theirs ends.`)) return;
    const done = await this.attempt(() => post(`users/${one.id}/password`));
    if (done) secret(`New password of ${one.name}`, "Password", done.password, button);
  }

  async attempt(act) {
    let done = null;
    try { done = await act(); } catch (error) { toast(error.message, { bad: true }); }
    await this.load();
    this.changed();
    return done;
  }
}
