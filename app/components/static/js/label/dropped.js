// Negatives that answers dropped: a count beside "settled", and on demand the look-alikes themselves, two by two.

import { get, picture } from "../api.js";
import { h, icon, plural } from "../dom.js";

const APART_MS = 6000;

export class Dropped {
  constructor() {
    this.asked = -APART_MS;
    this.button = h("button", { type: "button", class: "pw-quiet pw-let-go", "aria-expanded": "false", "aria-controls": "pw-dropped", hidden: true, onclick: () => (this.panel.hidden ? this.open() : this.close()) });
    this.panel = h("section", { id: "pw-dropped", class: "pw-card pw-dropped", role: "dialog", "aria-label": "Look-alikes that no longer push away", tabindex: "-1", hidden: true });
    this.panel.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); this.close(); this.button.focus(); } });
    document.addEventListener("pointerdown", (event) => { if (!this.panel.hidden && !this.panel.contains(event.target) && !this.button.contains(event.target)) this.close(); });
  }

  // Following the log costs the server a tenth of a second: once in a while will do.
  refresh(criterion) {
    if (criterion !== this.wanted) { this.button.hidden = true; this.close(); clearTimeout(this.timer); this.timer = null; this.asked = -APART_MS; }
    this.wanted = criterion;
    this.timer ??= setTimeout(() => { this.timer = null; this.ask().catch(() => {}); }, Math.max(0, this.asked + APART_MS - performance.now()));
  }

  async ask() {
    this.asked = performance.now();
    const found = await get("dropped", { criterion: this.wanted });
    if (found.criterion === this.wanted) this.show(found);
  }

  show(found) {
    this.found = found;
    const count = found.implied_alike + found.softened;
    this.button.hidden = !count;
    this.button.replaceChildren(h("b", {}, count.toLocaleString()), ` look-alike${count === 1 ? "" : "s"} no longer pushed away`);
    this.button.dataset.count = String(count);
    if (this.button.hidden) this.close();
    else if (!this.panel.hidden) this.draw();
  }

  open() {
    this.draw();
    this.panel.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.panel.focus({ preventScroll: true });
  }

  close() {
    this.panel.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  draw() {
    const { implied, implied_alike: alike, implied_pairs: said, softened, softened_pairs: soft, answers, version } = this.found;
    const words = said.length ? `Your last ${plural(answers, "answer")} put ${plural(implied, "pair")} together. ${alike === 1 ? "One of them looks" : `${alike.toLocaleString()} of them look`} so alike that they pushed each other hardest; now they attract.` : "";
    const later = soft.length ? `The model took the push from ${plural(softened, "pair")} at version ${version}: nobody was asked about them, but after the latest answers they are probably the same.` : "";
    this.panel.replaceChildren(
      h("header", {}, h("h2", {}, "No longer pushed away"), h("button", { type: "button", class: "pw-quiet", "aria-label": "Close", onclick: () => { this.close(); this.button.focus(); } }, icon("cross"))),
      h("div", { class: "pw-dropped-body" }, part("Because of your answers", words, said, (one) => `${whole(one.cosine)} alike`), part("Because of what follows from them", later, soft, (one) => `push ${whole(one.before)} \u2192 ${whole(one.now)}`)));
  }
}

const whole = (share) => `${Math.round(100 * share)} %`;

function part(title, words, pairs, note) {
  if (!pairs.length) return null;
  return h("section", {}, h("h3", {}, title), h("p", { class: "pw-small pw-muted" }, words), h("ul", { class: "pw-twos" }, pairs.map((one) => two(one, note(one)))));
}

const thumb = (item) => h("img", { src: picture(item.media, 128), alt: item.name, loading: "lazy", decoding: "async" });

function two(pair, note) {
  return h("li", { title: `${pair.a.name} and ${pair.b.name}, ${whole(pair.cosine)} alike` }, h("span", { class: "pw-two" }, thumb(pair.a), thumb(pair.b)), h("span", { class: "pw-small pw-num" }, note));
}
