// A group as a card: its surest pictures, its name, how much of it answers have confirmed.

import { picture } from "../api.js";
import { h, plural } from "../dom.js";

export const title = (group) => group.names.map((one) => one.name).join(" \u00b7 ") || `Group ${group.id}`;

export function card(group, { may, open, choose, chosen }) {
  const share = group.size ? Math.round((100 * group.confirmed) / group.size) : 0;
  const pick = may && h("label", { class: "pw-group-pick", title: "choose two groups to merge them", onclick: (event) => event.stopPropagation() },
    h("input", { type: "checkbox", checked: chosen(group), "aria-label": `choose ${title(group)} for merging`, onchange: (event) => choose(group, event.target.checked) }));
  const face = h("button", { type: "button", class: "pw-group-face", "aria-label": `open ${title(group)}, ${plural(group.size, "picture")}, ${share} % confirmed`, onclick: () => open(group) },
    group.items.map((item) => h("img", { src: picture(item.media, devicePixelRatio > 1.2 ? 256 : 128), alt: "", loading: "lazy", decoding: "async" })));
  return h("article", { class: `pw-group${chosen(group) ? " chosen" : ""}`, data: { anchor: String(group.anchor) } }, face, pick,
    h("div", { class: "pw-group-foot" }, h("b", { class: group.names.length ? "" : "pw-unnamed", title: title(group) }, title(group)), h("span", { class: "pw-num" }, plural(group.size, "picture")),
      h("span", { class: "pw-bar", title: `${group.confirmed} of ${group.size} joined by answers` }, h("i", { style: { width: `${share}%` } })),
      h("span", { class: "pw-muted pw-num pw-small" }, `${share} % confirmed`, group.doubt > 0.3 && h("span", { class: "pw-pill warn" }, "uncertain"))));
}
