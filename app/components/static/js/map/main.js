// The map screen: every picture a point, near each other what the model finds alike. Choose some, look, say something.

import { get, numbers, picture, post } from "../api.js";
import { criterion, emit, me, on } from "../bus.js";
import { detail } from "../data/detail.js";
import { empty, h, plural } from "../dom.js";
import { toast } from "../toast.js";
import { Between, calm } from "./between.js";
import { Chosen } from "./chosen.js";
import { bothBoxes, places, unitsOf } from "./geometry.js";
import { Legend } from "./legend.js";
import { colour, quiet, ramp, rgb } from "./palette.js";
import { Stage } from "./stage.js";

const BY = [["group", "group"], ["answered", "answered or not"], ["uncertainty", "uncertainty"], ["annotator", "annotator"]];
const MOST_MOVED = 60;
const STRENGTH = { plain: 230, dim: 46 };
const ARRIVE_MS = 700;
const MANNERS = { pca: "PCA: at once, keeps the large shape", umap: "UMAP: takes a while, keeps neighbours together" };

export async function start(element) {
  const person = await me().catch(() => ({ role: "viewer" }));
  new MapScreen(element, person);
}

class MapScreen {
  constructor(element, person) {
    this.may = person.role !== "viewer";
    this.kind = localStorage.getItem("pairwright/map") === "umap" ? "umap" : "pca";
    this.by = "group";
    this.chosen = new Set();
    this.stage = new Stage({ hovered: (row, x, y) => this.hover(row, x, y), clicked: (row) => this.open(row), lassoed: (rows, add) => this.choose(rows, add), toggled: (row) => this.flip(row), resized: (first) => first && this.wanted && this.load() });
    this.legend = new Legend({ toggled: () => this.paint(), select: (code) => this.choose(this.ofCode(code), false), extreme: (high, n) => this.choose(this.extreme(high, n), false) });
    this.panel = new Chosen({ may: this.may, call: { changed: (ids) => this.setIds(ids), cleared: () => this.choose([], false), middle: (ids) => this.middle(ids) } });
    this.between = new Between({ picked: (version) => this.compare(version), moved: (part) => this.stage.moveTo(part), farthest: () => this.farthest() });
    this.build(element);
    this.listen();
  }

  build(element) {
    this.kinds = ["pca", "umap"].map((kind) => h("button", { type: "button", data: { kind }, title: MANNERS[kind], onclick: () => this.lay(kind) }, kind.toUpperCase()));
    this.colours = h("select", { "aria-label": "Colour by", onchange: () => this.colourBy(this.colours.value) });
    this.pan = h("button", { type: "button", title: "Drag moves the map", onclick: () => this.tool("pan") }, "Move");
    this.lasso = h("button", { type: "button", title: "Drag draws round what you choose (or hold Shift)", onclick: () => this.tool("lasso") }, "Lasso");
    const zoom = (text, label, act) => h("button", { type: "button", "aria-label": text === "Fit" ? null : label, title: label, onclick: act }, text);
    this.tools = h("div", { class: "pw-map-tools" }, h("div", { class: "pw-seg", role: "group", "aria-label": "What dragging does" }, this.pan, this.lasso),
      h("div", { class: "pw-seg", role: "group", "aria-label": "Zoom" }, zoom("+", "Zoom in (+)", () => this.stage.zoom(1.6)), zoom("\u2212", "Zoom out (-)", () => this.stage.zoom(1 / 1.6)), zoom("Fit", "See all of it (0)", () => this.stage.fit())),
      h("button", { type: "button", title: "Choose everything in the window (A)", onclick: () => this.choose(this.stage.inView(), false) }, "Choose what is in view"));
    this.bar = h("i");
    this.workText = h("span", { class: "pw-small", role: "status" });
    this.work = h("div", { class: "pw-map-work", hidden: true }, this.workText, h("div", { class: "pw-bar" }, this.bar), this.may && h("button", { type: "button", class: "pw-quiet", onclick: () => this.cancel() }, "Cancel"));
    this.count = h("span", { class: "pw-muted pw-small pw-num" });
    this.tip = h("div", { class: "pw-map-tip", hidden: true });
    this.spoken = h("span", { class: "pw-sr", "aria-live": "polite" });
    this.stage.node.append(this.tip);
    this.blank = h("div", { class: "pw-map-blank", hidden: true });
    this.head = h("div", { class: "pw-map-head" },
      h("div", { class: "pw-field" }, h("span", {}, "Map"), h("div", { class: "pw-seg", role: "group", "aria-label": "Kind of map" }, this.kinds)),
      h("label", { class: "pw-field" }, "Colour by", this.colours), this.between.field);
    this.help = h("p", { class: "pw-map-help pw-small pw-muted" }, "Drag to move, scroll to zoom, ", h("kbd", {}, "Shift"), " and drag to choose. By keys: arrows, ", h("kbd", {}, "+"), " ", h("kbd", {}, "\u2212"), " ", h("kbd", {}, "0"), ", ", h("kbd", {}, "Enter"), " opens, ", h("kbd", {}, "Space"), " chooses, ", h("kbd", {}, "A"), " all in view.");
    this.main = h("section", { class: "pw-card pw-map-main" }, this.head, this.between.slide, h("div", { class: "pw-map-frame" }, this.stage.node, this.work, this.blank), h("div", { class: "pw-map-foot" }, this.tools, this.count), this.help, this.spoken);
    this.side = h("aside", { class: "pw-card pw-map-side" }, h("h2", {}, "Colours"), this.legend.node, this.panel.node);
    this.root = h("div", { class: "pw pw-map" }, this.main, this.side);
    element.replaceChildren(this.root);
    this.tool("pan");
  }

  listen() {
    on("criterion", (chosen) => this.begin(chosen));
    on("version", (event) => this.mine(event) && this.soon());
    on("promotion", (event) => this.mine(event) && this.soon());
    on("job", (event) => this.job(event));
    for (const kind of ["answer", "undo"]) on(kind, (event) => this.mine(event) && ["answered", "annotator"].includes(this.by) && this.soonColours());
    new MutationObserver(() => { if (this.tints) { this.legend.show(this.tints, true); this.paint(); } }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    if (criterion()) this.begin(criterion());
    else this.nothing("Nothing to draw yet", "Import pictures and add a criterion on the Data tab. The map appears when the model has looked at every picture.", "Data");
  }

  mine(event) { return event.criterion === criterion()?.id; }
  soon() { this.later ??= setTimeout(() => { this.later = null; this.load(); }, 500); }
  soonColours() { this.laterColours ??= setTimeout(() => { this.laterColours = null; this.paintBy(true); }, 400); }

  begin(chosen) {
    this.ids = null;
    this.other = null;
    this.columns = null;
    this.choose([], false);
    if (!chosen) return this.nothing("Nothing to draw yet", "Import pictures and add a criterion on the Data tab.", "Data");
    this.wanted = true;
    this.fillColours();
    if (this.stage.width) this.load(); // else when the tab is opened first
  }

  nothing(title, sentence, tab = null) {
    this.blank.hidden = false;
    this.blank.replaceChildren(empty("images", title, sentence, ...(tab ? [h("button", { type: "button", class: "pw-primary", onclick: () => emit("tab", tab) }, `Go to ${tab}`)] : [])));
    this.root.classList.add("blank");
  }

  async load() {
    const about = criterion();
    if (!about) return;
    try {
      this.state = await get("map", { criterion: about.id });
      if (about.id !== criterion()?.id) return;
      if (!this.state.current) return this.nothing("The map is on its way", "The model looks at every picture once. Then the map is drawn here by itself.");
      this.work_();
      await this.draw();
      if (!this.columns) this.readColumns(about);
    } catch (error) { this.failed(error); }
  }

  failed(error) {
    if (this.ids) return toast(error.message, { bad: true });
    this.nothing("The map could not be drawn", error.message);
    this.blank.querySelector(".pw-empty").append(h("button", { type: "button", class: "pw-primary", onclick: () => this.load() }, "Try again"));
  }

  has(what, version = this.state.current) { return this.state.versions.find((one) => one.id === version)?.maps.includes(what); }

  // Fetch what is wanted and let the points travel there from where they are.
  async draw() {
    const asked = [this.state.criterion, this.state.current, this.kind, this.other].join();
    if (this.kind === "umap" && !this.has("umap")) { if (this.may) this.make("umap"); if (this.ids && this.drawnKind) return; }
    const kind = this.kind === "umap" && !this.has("umap") ? "pca" : this.kind;
    const key = [this.state.criterion, this.state.current, kind, this.other].join();
    for (const button of this.kinds) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    this.between.show(this.state.versions, this.state.current, this.other);
    if (key === this.drawn) return;
    const query = { criterion: this.state.criterion, kind };
    const fetched = await numbers("map/points", { ...query, version: this.state.current });
    const after = this.other ? await numbers("map/points", { ...query, version: this.other, onto: this.state.current }) : null;
    if (asked !== [this.state.criterion, this.state.current, this.kind, this.other].join()) return;
    this.drawn = key;
    this.drawnKind = kind;
    this.root.dataset.kind = kind;
    this.place(fetched, after);
    await this.paintBy();
    this.blank.hidden = true;
    this.root.classList.remove("blank");
    this.root.dataset.ready = key;
  }

  place(now, after) {
    const old = this.ids && !after && !this.stage.part ? { ids: this.ids, x: this.stage.to[0], y: this.stage.to[1] } : null;
    const box = after ? bothBoxes(now.header.box, after.header.box) : now.header.box;
    const from = [unitsOf(now.x, 0, now.header.box, box), unitsOf(now.y, 1, now.header.box, box)];
    let to = from;
    if (after) {
      const there = places(after.ids, now.ids);
      const [x, y] = [unitsOf(after.x, 0, after.header.box, box), unitsOf(after.y, 1, after.header.box, box)];
      to = [from[0].map((value, i) => (there[i] < 0 ? value : x[there[i]])), from[1].map((value, i) => (there[i] < 0 ? value : y[there[i]]))];
    }
    this.ids = now.ids;
    this.rows = null;
    this.count.textContent = plural(now.ids.length, "picture");
    this.chosenRows();
    this.between.stop();
    if (old && !calm() && now.ids.length <= 20_000) return this.arrive(old, from);
    this.stage.part = 0;
    this.stage.show(from, to, Boolean(after));
    this.between.at(0);
  }

  // From the map that is shown to the next one of the same pictures, in a moment.
  arrive(old, to) {
    const there = places(old.ids, this.ids);
    const from = [to[0].map((value, i) => (there[i] < 0 ? value : old.x[there[i]])), to[1].map((value, i) => (there[i] < 0 ? value : old.y[there[i]]))];
    this.stage.part = 0;
    this.stage.show(from, to);
    const began = performance.now();
    const step = (now) => {
      if (this.stage.to !== to || this.stage.from !== from) return;
      const done = Math.min(1, (now - began) / ARRIVE_MS);
      this.stage.moveTo(done * done * (3 - 2 * done));
      if (done < 1) return requestAnimationFrame(step);
      this.stage.part = 0;
      this.stage.show(to, to, true);
      return null;
    };
    requestAnimationFrame(step);
  }

  // colours

  fillColours() {
    const plain = BY.map(([value, text]) => h("option", { value }, text));
    const own = (this.columns ?? []).map((one) => h("option", { value: `column:${one.name}` }, one.name));
    this.colours.replaceChildren(...plain, ...(own.length ? [h("optgroup", { label: "metadata" }, own)] : []));
    this.colours.value = this.by;
    if (!this.colours.value) { this.by = "group"; this.colours.value = "group"; }
  }

  async readColumns(about) {
    try {
      const { columns } = await get("map/columns", { criterion: about.id });
      if (about.id !== criterion()?.id) return;
      this.columns = columns.filter((one) => one.kinds > 0);
      this.fillColours();
    } catch { /* the other colours are there all the same */ }
  }

  async colourBy(by) {
    this.by = by;
    try { await this.paintBy(); } catch (error) { toast(error.message, { bad: true }); }
  }

  async paintBy(keep = false) {
    const [by, ...name] = this.by.split(":");
    const asked = this.by;
    const found = await numbers("map/colours", { criterion: this.state.criterion, version: this.state.current, by, column: name.length ? name.join(":") : null });
    if (asked !== this.by) return;
    this.tints = found;
    this.legend.show(found, keep);
    this.root.dataset.by = this.by;
    this.paint();
    if (found.header.stale && this.may && ["group", "uncertainty"].includes(by)) this.make("groups");
  }

  // Four bytes a point: what the legend hides is not there at all, what is not chosen steps back.
  paint() {
    const { codes, scale } = this.tints ?? {};
    if (!this.ids || !(codes ?? scale) || (codes ?? scale).length !== this.ids.length) return;
    const quietly = rgb(quiet());
    const table = codes ? this.tints.header.legend.map((one, code) => (one.quiet ? quietly : rgb(colour(code)))) : Array.from({ length: 256 }, (_, at) => (at ? ramp((at - 1) / 254) : quietly));
    const bytes = new Uint8Array(4 * this.ids.length);
    const some = this.chosen.size > 0;
    const rows = this.rowSet ?? new Set();
    for (let i = 0; i < this.ids.length; i += 1) {
      const code = (codes ?? scale)[i];
      if (codes && this.legend.hidden.has(code)) continue;
      const [r, g, b] = table[code] ?? quietly;
      bytes[4 * i] = r; bytes[4 * i + 1] = g; bytes[4 * i + 2] = b;
      bytes[4 * i + 3] = rows.has(i) ? 255 : some ? STRENGTH.dim : STRENGTH.plain;
    }
    this.stage.tint(bytes);
  }

  ofCode(code) { return [...this.tints.codes.keys()].filter((row) => this.tints.codes[row] === code); }

  extreme(high, n) {
    const { scale } = this.tints;
    const known = [...scale.keys()].filter((row) => scale[row] > 0);
    return known.sort((a, b) => (high ? scale[b] - scale[a] : scale[a] - scale[b])).slice(0, n);
  }

  // choosing

  choose(rows, add) {
    if (!add) this.chosen = new Set();
    for (const row of rows) this.chosen.add(this.ids[row]);
    this.showChosen();
  }

  flip(row) {
    const id = this.ids[row];
    if (!this.chosen.delete(id)) this.chosen.add(id);
    this.showChosen();
  }

  setIds(ids) {
    this.chosen = new Set(ids);
    this.showChosen();
  }

  chosenRows() {
    if (!this.ids) { this.rowSet = new Set(); return; }
    const known = new Map();
    for (const [row, id] of this.ids.entries()) if (this.chosen.has(id)) known.set(id, row);
    this.rowSet = new Set(known.values());
    this.known = known;
  }

  showChosen() {
    this.chosenRows();
    this.stage.raise([...this.rowSet]);
    this.root.classList.toggle("choosing", this.chosen.size > 0);
    this.panel.show([...this.chosen]);
    this.paint();
  }

  // The one nearest to the middle of them on the map: it stands for them until somebody says otherwise.
  middle(ids) {
    const rows = ids.map((id) => this.known?.get(id)).filter((row) => row !== undefined);
    if (!rows.length) return ids[0];
    const { x, y } = this.stage.sorted;
    const mean = (all) => rows.reduce((sum, row) => sum + all[row], 0) / rows.length;
    const [mx, my] = [mean(x), mean(y)];
    return this.ids[rows.reduce((best, row) => ((x[row] - mx) ** 2 + (y[row] - my) ** 2 < (x[best] - mx) ** 2 + (y[best] - my) ** 2 ? row : best), rows[0])];
  }

  farthest() {
    const { from, to } = this.stage;
    const far = Array.from(this.ids, (_, i) => (from[0][i] - to[0][i]) ** 2 + (from[1][i] - to[1][i]) ** 2);
    const rows = [...far.keys()].filter((row) => far[row] > 0).sort((a, b) => far[b] - far[a]).slice(0, MOST_MOVED);
    this.choose(rows, false);
  }

  // looking

  async item(id) { return (await get("items/some", { ids: id })).items[0]; }

  hover(row, x, y) {
    clearTimeout(this.resting);
    if (row < 0) { this.tip.hidden = true; return; }
    const id = this.ids[row];
    const image = h("img", { src: picture(`/api/v1/media/${id}`, 128), alt: "" });
    const name = h("span", {}, this.said(row));
    this.tip.replaceChildren(image, name);
    this.tip.hidden = false;
    this.tip.style.left = `${Math.max(4, Math.min(x + 16, this.stage.width - 152))}px`;
    this.tip.style.top = `${y > this.stage.height - 190 ? Math.max(4, y - 186) : y + 16}px`;
    this.resting = setTimeout(async () => {
      const item = await this.item(id).catch(() => null);
      if (!item || this.stage.at !== row) return;
      name.replaceChildren(h("b", {}, item.name || `picture ${id}`), " ", this.said(row));
      if (this.stage.keyed) this.spoken.textContent = `${item.name || `picture ${id}`}, ${this.said(row)}`;
    }, 160);
  }

  // What its colour means, in words.
  said(row) {
    const { header, codes, scale } = this.tints ?? {};
    if (codes) return header.legend[codes[row]]?.label ?? "nothing said";
    if (!scale?.[row]) return "unknown";
    const value = header.low + ((scale[row] - 1) / 254) * (header.high - header.low);
    return header.by === "uncertainty" ? `${Math.round(100 * value)} % uncertain` : value.toLocaleString(undefined, { maximumSignificantDigits: 4 });
  }

  async open(row) {
    try {
      const item = await this.item(this.ids[row]);
      if (item) detail(item);
    } catch (error) { toast(error.message, { bad: true }); }
  }

  tool(name) {
    this.stage.mode = name;
    this.stage.node.dataset.tool = name;
    this.pan.setAttribute("aria-pressed", String(name === "pan"));
    this.lasso.setAttribute("aria-pressed", String(name === "lasso"));
  }

  // making

  async lay(kind) {
    this.kind = kind;
    localStorage.setItem("pairwright/map", kind);
    if (kind === "umap" && !this.has("umap") && !this.may) toast("The UMAP map of this version is not made yet. Somebody who may answer can ask for it.");
    try { await this.draw(); } catch (error) { toast(error.message, { bad: true }); }
  }

  async compare(version) {
    this.other = version;
    const need = version && !this.has(this.kind, version) ? this.kind : null;
    try { await this.draw(); } catch (error) {
      if (error.status !== 404 || !need || !this.may) { this.other = null; this.between.show(this.state.versions, this.state.current, null); return toast(error.message, { bad: true }); }
      await this.make(need, version);
    }
  }

  async make(what, version = this.state.current) {
    const asked = `${what}/${version}/${this.state.newest}`;
    if (this.state.jobs.some((one) => one.kind === `map_${what}`) || (what === "groups" && this.lastAsked === asked)) return;
    if (what === "groups") this.lastAsked = asked;
    try {
      const job = await post("map", { criterion: this.state.criterion, what, version });
      this.state.jobs = [...this.state.jobs.filter((one) => one.id !== job.id), job];
      this.work_();
    } catch (error) { toast(error.message, { bad: true }); }
  }

  work_() {
    const words = { map_umap: "Making the UMAP map", map_pca: "Making the PCA map", map_groups: "Sorting by the answers" };
    const [job] = this.state.jobs;
    this.work.hidden = !job;
    if (!job) return;
    this.workText.textContent = words[job.kind];
    this.bar.style.width = `${Math.round(100 * job.progress)}%`;
  }

  // Events of any making: how far it is, and when it is done what it made is shown.
  job(event) {
    if (!event.kind?.startsWith("map_") || !this.state || !this.mine(event)) return;
    const own = this.state.jobs.find((one) => one.id === event.job);
    if (event.state === "running") { if (own) { own.progress = event.progress; this.work_(); } return; }
    this.state.jobs = this.state.jobs.filter((one) => one.id !== event.job);
    this.work_();
    if (event.state === "failed") toast(event.note || "The map could not be made.", { bad: true });
    if (event.state === "done" && event.kind === "map_groups") this.refreshed();
    else if (event.state === "done") this.soon();
    else if (event.kind === "map_umap") this.kind = this.drawnKind ?? "pca";
  }

  async refreshed() {
    try {
      this.state = await get("map", { criterion: this.state.criterion });
      if (["group", "uncertainty"].includes(this.by)) await this.paintBy(true);
      this.work_();
    } catch (error) { toast(error.message, { bad: true }); }
  }

  async cancel() {
    const [job] = this.state.jobs;
    if (!job) return;
    this.kind = this.drawnKind ?? "pca";
    localStorage.setItem("pairwright/map", this.kind);
    try { await post("map/cancel", { criterion: this.state.criterion, job: job.id }); } catch (error) { toast(error.message, { bad: true }); }
    this.state.jobs = this.state.jobs.filter((one) => one.id !== job.id);
    this.work_();
  }
}
