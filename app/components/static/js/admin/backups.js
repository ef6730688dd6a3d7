// Backups: which there are, make one now, read one through. Restoring is a command, because it needs a new workspace.

import { get, post } from "../api.js";
import { on } from "../bus.js";
import { h, plural } from "../dom.js";
import { toast } from "../toast.js";
import { when } from "./log.js";

const KINDS = { backup: "Making a backup", backup_verify: "Reading a backup through" };
const CHECKED = { ok: ["whole", "good"], damaged: ["damaged", "bad"] };
const short = (path) => (path.split("/").length > 3 ? `\u2026/${path.split("/").slice(-2).join("/")}` : path);
const size = (bytes) => `${(bytes / 1e6).toLocaleString(undefined, { maximumFractionDigits: bytes < 1e7 ? 1 : 0 })} MB`;

export class Backups {
  constructor({ changed }) {
    this.changed = changed;
    this.make = h("button", { type: "button", class: "pw-primary", onclick: () => this.ask("backups") }, "Make one now");
    this.words = h("p", { class: "pw-muted pw-small" });
    this.bar = h("i");
    this.note = h("span", { class: "pw-small pw-num", role: "status" });
    this.under = h("div", { class: "pw-backup-under", hidden: true }, this.note,
      h("div", { class: "pw-bar", role: "progressbar", "aria-label": "Progress of the backup", "aria-valuemin": "0", "aria-valuemax": "100" }, this.bar));
    this.body = h("tbody");
    this.scroll = h("div", { class: "pw-scroll", tabindex: "0", role: "region", "aria-label": "Backups" }, h("table", { class: "pw-table" },
      h("thead", {}, h("tr", {}, ...["Made", "Answers", "Files", "Size", "Checked", ""].map((word) => h("th", { scope: "col" }, word)))), this.body));
    this.how = h("p", { class: "pw-muted pw-small" });
    this.node = h("section", { class: "pw-card pw-backups" }, h("div", { class: "pw-card-head" }, h("h2", {}, "Backups"), this.make), this.words, this.under, this.scroll, this.how);
    on("job", (event) => this.job(event));
  }

  async load() {
    try { this.draw(await get("backups")); } catch (error) { toast(error.message, { bad: true }); }
  }

  draw(found) {
    const { backups, every, keep, folder, job, last } = found;
    const byItself = every > 0 ? `One is made by itself every ${plural(every, "hour")}; the newest ${keep} stay.` : "None is made by itself: start with pairwright serve --backup-every 24 for one a day.";
    const failed = last?.status === "failed" && last.kind === "backup" && !job ? ` The last one failed: ${last.error}` : "";
    this.words.textContent = `Database, pictures, models and features, made while people answer. ${byItself}${failed}`;
    this.running = job?.id ?? null;
    this.make.disabled = Boolean(job);
    this.under.hidden = !job;
    if (job) this.move(job.kind, job.progress, job.note);
    this.scroll.hidden = !backups.length;
    this.body.replaceChildren(...backups.map((one) => this.row(one)));
    this.how.replaceChildren(backups.length ? "To restore one, into a workspace that is new: " : "There is none yet. They will be in ",
      ...(backups.length ? this.command(`${folder}/${backups[0].name}`) : [h("code", { title: folder }, short(folder))]));
  }

  // A long path is shown by its end and copied whole.
  command(path) {
    const whole = `pairwright backup restore ${path} --workspace NEW`;
    const copy = h("button", { type: "button", class: "pw-quiet", onclick: async () => {
      await navigator.clipboard?.writeText(whole).catch(() => {});
      copy.textContent = "Copied";
    } }, "Copy");
    return [h("code", { title: whole }, `pairwright backup restore ${short(path)} --workspace NEW`), copy];
  }

  row(one) {
    const [word, tone] = CHECKED[one.checked] ?? ["not yet", ""];
    const check = h("button", { type: "button", class: "pw-quiet", "aria-label": `Check the backup of ${when(one.made_at)}`, onclick: () => this.ask(`backups/${one.name}/verify`) }, "Check");
    return h("tr", { data: { backup: one.name } }, h("th", { scope: "row", class: "pw-num" }, when(one.made_at)), ...[one.answers.toLocaleString(), one.files.toLocaleString(), size(one.size)].map((text) => h("td", { class: "pw-num" }, text)),
      h("td", {}, h("span", { class: `pw-pill ${tone}` }, word)), h("td", {}, check));
  }

  async ask(path) {
    try { await post(path); } catch (error) { toast(error.message, { bad: true }); }
    await this.load();
    this.changed();
  }

  move(kind, progress, note) {
    this.note.textContent = `${KINDS[kind]}${note ? `: ${note.replace("steps", "files")}` : "\u2026"}`;
    this.bar.style.width = `${Math.round(100 * progress)}%`;
    this.bar.parentElement.setAttribute("aria-valuenow", String(Math.round(100 * progress)));
  }

  // event: {job, kind, state, progress, note}
  job(event) {
    if (!(event.kind in KINDS)) return;
    if (event.state === "running" && this.running === event.job) return this.move(event.kind, event.progress, event.note);
    if (event.state === "failed") toast(event.note, { bad: true });
    if (event.state === "done") toast(event.kind === "backup" ? "The backup is made." : "The backup is whole.");
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.load(), 150);
  }
}
