// The import form: drop pictures, a folder or an archive; watch it; read what was left out and why.

import { get, post, upload } from "../api.js";
import { h, icon, plural } from "../dom.js";
import { toast } from "../toast.js";

const WORDS = { import: "Import", embed: "Looking at pictures" }; // jobs this screen tells of
const ACTIVE = new Set(["queued", "running"]);

export class Importer {
  constructor({ may, admin, done }) {
    this.done = done;
    this.name = h("input", { type: "text", maxlength: "80", required: true, placeholder: "holiday photos", list: "pw-collection-names" });
    this.names = h("datalist", { id: "pw-collection-names" });
    this.jobs = h("div", { class: "pw-jobs", "aria-live": "polite" });
    const body = may ? this.form(admin) : [h("p", { class: "pw-muted" }, "Importing needs the role curator. Ask an admin.")];
    this.node = h("section", { class: "pw-card" }, h("h2", {}, "Import pictures"), ...body, this.jobs);
    this.refresh();
  }

  form(admin) {
    const files = h("input", { type: "file", multiple: true, accept: "image/*,.zip,.tar,.tgz,.tar.gz", class: "pw-sr", id: "pw-files", onchange: () => this.send(files) });
    const folder = h("input", { type: "file", webkitdirectory: true, class: "pw-sr", id: "pw-folder", onchange: () => this.send(folder) });
    const zone = h("div", { class: "pw-drop" }, icon("images"), h("p", {}, "Drop pictures or a zip archive here"),
      h("p", {}, h("label", { class: "pw-button", for: "pw-files" }, "Choose files"), " ", h("label", { class: "pw-button", for: "pw-folder" }, "Choose a folder")), files, folder);
    for (const kind of ["dragover", "dragleave", "drop"]) zone.addEventListener(kind, (event) => this.drag(event, zone, kind));
    this.metadata = h("input", { type: "text", placeholder: "metadata.csv", "aria-label": "Metadata file" });
    const more = h("details", {}, h("summary", {}, "It comes with a table"), h("label", { class: "pw-field" }, "Name of the CSV, Parquet or JSONL file in the folder or archive; its columns become attributes", this.metadata));
    return [h("label", { class: "pw-field" }, "Into the collection", this.name, this.names), zone, more, this.keeping(admin), admin && this.path()];
  }

  // How the pictures are kept. Only what is already on the server can be left where it is.
  keeping(admin) {
    this.kept = h("select", {}, h("option", { value: "" }, "Each in a file of its own"), h("option", { value: "packed" }, "In few big files (100,000 and more)"),
      admin && h("option", { value: "in_place" }, "Where they are (tar, Parquet)"));
    return h("details", {}, h("summary", {}, "There are very many of them"), h("label", { class: "pw-field pw-keeping" }, "How to keep the pictures", this.kept));
  }

  drag(event, zone, kind) {
    event.preventDefault();
    zone.classList.toggle("over", kind === "dragover");
    if (kind === "drop") this.send({ files: event.dataTransfer.files, value: "" });
  }

  // Admins may name a folder or archive that is already on the server: nothing is uploaded.
  path() {
    const at = h("input", { type: "text", placeholder: "/data/photos or /data/photos.zip", "aria-label": "Path on the server" });
    const metadata = h("input", { type: "text", placeholder: "metadata.csv (optional)", "aria-label": "Metadata file" });
    const go = async (event) => {
      event.preventDefault();
      if (!this.named()) return;
      try {
        await post("imports", { collection: this.name.value.trim(), path: at.value.trim(), metadata: metadata.value.trim() || null, packed: this.kept.value === "packed", in_place: this.kept.value === "in_place" });
        at.value = "";
        this.refresh();
      } catch (error) { toast(error.message, { bad: true }); }
    };
    return h("details", {}, h("summary", {}, "From a path on the server"), h("form", { class: "pw-path", onsubmit: go }, at, metadata, h("button", { type: "submit" }, "Import")));
  }

  named() {
    if (this.name.value.trim()) return true;
    this.name.focus();
    toast("Name the collection first.", { bad: true });
    return false;
  }

  async send(input) {
    const files = [...input.files];
    if (!files.length || !this.named()) { input.value = ""; return; }
    if (this.kept.value === "in_place") {
      input.value = "";
      toast("Only pictures of a path on the server can stay where they are. Give the path below, or keep them in another way.", { bad: true });
      return;
    }
    const form = new FormData();
    form.append("collection", this.name.value.trim());
    if (this.metadata.value.trim()) form.append("metadata", this.metadata.value.trim());
    if (this.kept.value) form.append(this.kept.value, "true");
    for (const file of files) form.append("files", file, file.webkitRelativePath || file.name);
    const bar = h("i");
    const note = h("div", { class: "pw-job" }, h("p", {}, `Uploading ${plural(files.length, "file")}`), h("div", { class: "pw-bar" }, bar));
    this.jobs.prepend(note);
    try {
      await upload("imports", form, (part) => { bar.style.width = `${part * 100}%`; });
    } catch (error) { toast(error.message, { bad: true }); }
    note.remove();
    input.value = "";
    this.refresh();
  }

  collections(all) {
    this.names.replaceChildren(...all.map((one) => h("option", { value: one.name })));
  }

  async refresh() {
    clearTimeout(this.timer);
    let jobs = [];
    try { jobs = (await get("jobs", { limit: 30 })).jobs.filter((job) => job.kind in WORDS).slice(0, 6); } catch { return; }
    this.jobs.replaceChildren(...jobs.map((job) => this.job(job)));
    const active = jobs.some((job) => ACTIVE.has(job.status));
    if (this.active && !active) this.done();
    this.active = active;
    if (active) this.timer = setTimeout(() => this.refresh(), 1000);
  }

  job(job) {
    const head = h("p", {}, h("b", {}, WORDS[job.kind]), h("span", { class: "pw-muted" }, ` ${job.note || job.status}`));
    if (ACTIVE.has(job.status)) {
      const stop = async () => { await post(`jobs/${job.id}/cancel`).catch((error) => toast(error.message, { bad: true })); this.refresh(); };
      return h("div", { class: "pw-job", data: { job: job.id } }, head, h("div", { class: "pw-bar" }, h("i", { style: { width: `${Math.round(job.progress * 100)}%` } })), h("button", { type: "button", class: "pw-quiet", onclick: stop }, "Cancel"));
    }
    return h("div", { class: "pw-job", data: { job: job.id } }, head, job.error && h("p", { class: "pw-bad" }, job.error), this.report(job.result ?? {}));
  }

  report({ added, known, skipped }) {
    if (added === undefined) return null;
    const parts = [`${plural(added, "picture")} added`, known ? `${known.toLocaleString()} known already` : null, skipped?.length ? `${skipped.length} left out` : null];
    const why = skipped?.length ? h("details", {}, h("summary", {}, "What was left out, and why"), h("ul", { class: "pw-skipped" }, skipped.slice(0, 200).map(([name, reason]) => h("li", {}, h("b", {}, name), ` ${reason}`)))) : null;
    return h("div", {}, h("p", { class: "pw-muted pw-small" }, parts.filter(Boolean).join(" · ")), why);
  }
}
