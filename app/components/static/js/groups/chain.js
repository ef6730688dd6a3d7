// A chain of answers, as pictures with what was said between them.

import { picture } from "../api.js";
import { h } from "../dom.js";

export const when = (at) => new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
export const said = (verdict) => verdict.replaceAll("_", " ");
export const shot = (item, size = 256) => h("img", { src: picture(item.media, size), alt: item.caption || item.name || `picture ${item.id}`, title: item.name, decoding: "async" });

// links: [{a, b, verdict, source, at}], each beginning where the last one ended.
export function chainOf(links) {
  return h("ol", { class: "pw-steps" }, h("li", {}, shot(links[0].a)), links.map((link) => h("li", {},
    h("span", { class: `pw-step ${link.verdict}` }, h("b", {}, said(link.verdict)), h("span", {}, link.source), h("span", { class: "pw-muted" }, when(link.at))), shot(link.b))));
}
