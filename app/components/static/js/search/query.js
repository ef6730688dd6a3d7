// What is looked for: pictures of the collection, one of your own, or (where there are captions) a sentence.

import { get, picture } from "../api.js";
import { criterion } from "../bus.js";
import { h } from "../dom.js";

const WAIT_MS = 250;
const MOST_BYTES = 25 * 2 ** 20;

export class Query {
  // call: items(ids): look for these; text(words): for what they describe; file(file): look for a picture of one's own; drop(): nothing any more.
  constructor(call) {
    this.call = call;
    this.tabs = [["item", "Picture here"], ["file", "Your picture"], ["sentence", "Sentence"]].map(([name, text]) =>
      h("button", { type: "button", role: "tab", id: `pw-by-${name}`, "aria-controls": `pw-pane-${name}`, data: { by: name }, onclick: () => this.turn(name), onkeydown: (event) => this.walk(event) }, text));
    this.text = h("input", { type: "text", maxlength: "200", placeholder: "part of a name, or a number", "aria-label": "Find a picture by name", oninput: () => this.typed(), onkeydown: (event) => { if (event.key === "Enter") this.find(); } });
    this.hits = h("div", { class: "pw-search-hits", "aria-live": "polite" });
    const file = h("input", { type: "file", accept: "image/*", class: "pw-sr", id: "pw-search-file", onchange: () => { this.given(file.files[0]); file.value = ""; } });
    this.drop = h("div", { class: "pw-drop" }, h("p", {}, "Drop a picture here, paste one, or "), h("p", {}, h("label", { class: "pw-button", for: "pw-search-file" }, "Choose a file")), file, h("p", { class: "pw-small" }, "It is looked at and forgotten: nothing of it is kept."));
    for (const kind of ["dragover", "dragleave", "drop"]) this.drop.addEventListener(kind, (event) => this.drag(event, kind));
    this.why = h("p", { class: "pw-small" });
    this.sentence = h("input", { type: "text", maxlength: "400", "aria-label": "Sentence to search with", "aria-describedby": "pw-no-sentence", onkeydown: (event) => { if (event.key === "Enter") this.said(); } });
    this.ask = h("button", { type: "button", onclick: () => this.said() }, "Search");
    this.unable = h("div", { class: "pw-unable" }, h("span", { class: "pw-pill warn" }, "not available"), this.why);
    this.why.id = "pw-no-sentence";
    this.panes = { item: [h("label", { class: "pw-field" }, "Picture to search with", this.text), this.hits], file: [this.drop], sentence: [h("label", { class: "pw-field" }, "Sentence", this.sentence), this.ask, this.unable] };
    this.boxes = Object.entries(this.panes).map(([name, nodes]) => h("div", { class: "pw-search-pane", role: "tabpanel", id: `pw-pane-${name}`, "aria-labelledby": `pw-by-${name}` }, nodes));
    this.node = h("section", { class: "pw-card pw-search-query" }, h("h2", {}, "Search with"), h("div", { class: "pw-seg", role: "tablist", "aria-label": "Search with" }, this.tabs), this.boxes);
    this.node.addEventListener("paste", (event) => this.given([...event.clipboardData.files][0]));
    this.turn("item");
  }

  able(about) {
    this.why.textContent = about.sentence ?? "";
    this.unable.hidden = about.sentence === null;
    this.sentence.disabled = this.ask.disabled = about.sentence !== null;
    this.sentence.placeholder = about.sentence === null ? "what is to be seen" : "no captions here";
  }

  said() {
    const text = this.sentence.value.trim();
    if (text) this.call.text(text);
  }

  turn(name) {
    this.by = name;
    for (const tab of this.tabs) { const on = tab.dataset.by === name; tab.setAttribute("aria-selected", String(on)); tab.tabIndex = on ? 0 : -1; }
    for (const box of this.boxes) box.hidden = box.id !== `pw-pane-${name}`;
  }

  walk(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const at = this.tabs.indexOf(event.currentTarget);
    const next = this.tabs[(at + by + this.tabs.length) % this.tabs.length];
    this.turn(next.dataset.by);
    next.focus();
  }

  typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.find(), WAIT_MS);
  }

  async find() {
    clearTimeout(this.timer);
    const text = this.text.value.trim();
    if (!text || !criterion()) { this.hits.replaceChildren(); return; }
    const asked = (this.asked = Symbol("asked"));
    let found;
    try { found = (await get("items/named", { criterion: criterion().id, text })).items; } catch (error) { this.hits.replaceChildren(h("p", { class: "pw-bad pw-small" }, error.message)); return; }
    if (asked !== this.asked) return;
    const hit = (one) => h("button", { type: "button", class: "pw-hit", title: one.name, onclick: () => this.call.items([one.id]) }, h("img", { src: picture(one.media, 128), alt: "" }), h("span", {}, one.name || `picture ${one.id}`));
    this.hits.replaceChildren(...(found.length ? found.map(hit) : [h("p", { class: "pw-muted pw-small" }, "No picture has that in its name.")]));
  }

  drag(event, kind) {
    event.preventDefault();
    this.drop.classList.toggle("over", kind === "dragover");
    if (kind === "drop") this.given(event.dataTransfer.files[0]);
  }

  given(file) {
    if (!file) return;
    if (file.size > MOST_BYTES) { this.call.refused("This picture is larger than 25 MB. Make it smaller first."); return; }
    this.turn("file");
    this.call.file(file);
  }
}
