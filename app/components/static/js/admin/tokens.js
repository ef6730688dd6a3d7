// What opens the door for the person chosen: browsers that are signed in, and tokens of programs.

import { get, post } from "../api.js";
import { h } from "../dom.js";
import { toast } from "../toast.js";
import { secret } from "./secret.js";
import { when } from "./log.js";

const USES = [["", "all the role may"], ["read", "looking"], ["read,answer", "looking and answering"], ["read,import", "looking and importing"], ["read,answer,import,train", "all but people"]];

export class Tokens {
  constructor({ changed }) {
    this.changed = changed;
    this.title = h("h2", {}, "Tokens");
    this.list = h("ul", { class: "pw-tokens" });
    this.node = h("section", { class: "pw-card" }, this.title, this.list, this.form());
  }

  form() {
    const label = h("input", { type: "text", maxlength: "200", required: true, placeholder: "conveyor belt" });
    const days = h("select", {}, ...[["", "never"], ["1", "in a day"], ["30", "in 30 days"], ["365", "in a year"]].map(([value, words]) => h("option", { value, selected: value === "365" }, words)));
    const use = h("select", {}, ...USES.map(([value, words]) => h("option", { value }, words)));
    const issue = async (event) => {
      event.preventDefault();
      try {
        const done = await post(`users/${this.user.id}/tokens`, { label: label.value.trim(), days: days.value ? Number(days.value) : null, scopes: use.value ? use.value.split(",") : null });
        label.value = "";
        secret(`Token of ${done.user}: ${done.label}`, "Token", done.token, label);
      } catch (error) { toast(error.message, { bad: true }); }
      this.load();
      this.changed();
    };
    return h("form", { class: "pw-row-form pw-token-form", onsubmit: issue }, h("label", { class: "pw-field" }, "What it is for", label), h("label", { class: "pw-field" }, "Ends", days), h("label", { class: "pw-field" }, "Good for", use),
      h("button", { type: "submit" }, "Issue a token"));
  }

  show(user) {
    const same = this.user?.id === user.id;
    this.user = user;
    this.title.textContent = `Tokens of ${user.name}`;
    if (!same) this.load();
  }

  async load() {
    const user = this.user;
    let found;
    try { found = (await get(`users/${user.id}/tokens`)).tokens; } catch (error) { return toast(error.message, { bad: true }); }
    if (user.id !== this.user.id) return;
    const good = found.filter((one) => !one.revoked && !(one.expires_at && new Date(one.expires_at) < new Date()));
    this.list.replaceChildren(...(good.length ? good.map((one) => this.entry(one)) : [h("li", { class: "pw-muted" }, "None. A program sends one as \u201cAuthorization: Bearer TOKEN\u201d.")]));
  }

  entry(one) {
    const what = one.kind === "session" ? "Signed in with a browser" : one.label;
    const until = one.expires_at ? `ends ${when(one.expires_at)}` : "never ends";
    const use = one.scopes ? `, good for: ${one.scopes.join(", ")}` : "";
    const end = async () => {
      try { await post(`tokens/${one.id}/revoke`); } catch (error) { toast(error.message, { bad: true }); }
      this.load();
      this.changed();
    };
    return h("li", { data: { token: one.id } }, h("div", {}, h("b", {}, what), h("span", { class: "pw-muted pw-small" }, `since ${when(one.created_at)}, ${until}${use}`)),
      h("button", { type: "button", class: "pw-quiet", "aria-label": `Revoke: ${what}`, onclick: end }, "Revoke"));
  }
}
