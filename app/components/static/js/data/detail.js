// One picture with everything known about it, and what the current model finds most alike.

import { get, picture } from "../api.js";
import { criterion, emit } from "../bus.js";
import { h } from "../dom.js";
import { searchLike } from "../search/wish.js";

export async function detail(item) {
  const alike = h("div", { class: "pw-alike" });
  const facts = h("dl", { class: "pw-facts" });
  const known = criterion()?.collection === item.collection;
  const search = () => { box.close(); searchLike([item.id]); emit("tab", "Search"); };
  const box = h("dialog", { class: "pw pw-detail", "aria-label": item.name || `picture ${item.id}`, onclose: () => box.remove(), onclick: (event) => { if (event.target === box) box.close(); } },
    h("img", { src: picture(item.media, 1024), alt: item.caption || item.name }),
    h("div", { class: "pw-detail-side" }, h("header", {}, h("h2", {}, item.name || `Picture ${item.id}`), h("button", { type: "button", class: "pw-quiet", onclick: () => box.close() }, "Close")),
      item.caption && h("p", {}, item.caption), known && h("p", {}, h("button", { type: "button", onclick: search }, "Search like this")), facts, alike));
  document.body.append(box);
  box.showModal();
  show(facts, item);
  neighbours(item, alike).catch(() => {});
}

function show(facts, item) {
  const place = item.latitude === null || item.longitude === null ? null : `${item.latitude.toFixed(4)}, ${item.longitude.toFixed(4)}`;
  const known = [["size", `${item.width} \u00d7 ${item.height}`], ["taken", item.taken_at], ["place", place], ...Object.entries(item.attributes)];
  facts.append(...known.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, typeof value === "object" ? JSON.stringify(value) : String(value)))));
}

async function neighbours(item, alike) {
  const chosen = criterion();
  if (!chosen || chosen.collection !== item.collection) return;
  const { neighbours: found } = await get(`items/${item.id}/neighbours`, { criterion: chosen.id, limit: 8 });
  if (!found.length) return;
  alike.append(h("h3", {}, "Most alike now"), h("div", { class: "pw-alike-row" }, found.map((one) =>
    h("img", { src: picture(one.item.media, 128), alt: one.item.name, title: `${one.item.name} · cosine ${one.cosine.toFixed(2)}` }))));
}
