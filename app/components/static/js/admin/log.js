// Who did what, newest first. Answers have a log of their own.

import { download, get } from "../api.js";
import { h } from "../dom.js";
import { toast } from "../toast.js";

const FORM = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
export const when = (moment) => FORM.format(new Date(moment));

const words = (detail) => Object.entries(detail).filter(([, value]) => value !== null && value !== "").map(([key, value]) => `${key}: ${value}`).join(", ");

export class Log {
  constructor() {
    this.body = h("tbody");
    this.more = h("button", { type: "button", class: "pw-quiet", onclick: () => this.page() }, "Older");
    const all = h("button", { type: "button", class: "pw-quiet", onclick: () => this.all() }, "Download all");
    this.node = h("section", { class: "pw-card pw-audit" }, h("header", { class: "pw-card-head" }, h("h2", {}, "Who did what"), all),
      h("div", { class: "pw-scroll", tabindex: "0", role: "region", "aria-label": "Who did what" }, h("table", { class: "pw-table" },
        h("thead", {}, h("tr", {}, ...["When", "Who", "What", "To what", ""].map((word) => h("th", { scope: "col" }, word)))), this.body)), this.more);
  }

  load() {
    this.next = null;
    return this.page(true);
  }

  async all() {
    try { await download("exports/audit", { format: "csv" }, "audit.csv"); } catch (error) { toast(error.message, { bad: true }); }
  }

  async page(anew = false) {
    try {
      const found = await get("audit", { before: this.next, limit: 50 });
      this.next = found.next;
      const rows = found.entries.map((one) => h("tr", { data: { action: one.action }, class: one.action === "sign-in refused" ? "pw-bad" : null },
        h("td", { class: "pw-num" }, when(one.at)), h("td", {}, one.actor), h("td", {}, one.action), h("td", {}, one.target), h("td", { class: "pw-muted" }, words(one.detail))));
      if (anew) this.body.replaceChildren(...rows);
      else this.body.append(...rows);
      this.more.hidden = found.next === null;
    } catch (error) { toast(error.message, { bad: true }); }
  }
}
