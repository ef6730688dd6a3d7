// A password or token, shown once: in a dialog, with a button to copy it. It is nowhere else.

import { h } from "../dom.js";

export function secret(title, what, value, back) {
  const shown = h("input", { type: "text", readonly: true, value, "aria-label": what, class: "pw-secret" });
  const copy = h("button", { type: "button", class: "pw-primary", onclick: async () => {
    shown.select();
    await navigator.clipboard?.writeText(value).catch(() => {});
    copy.textContent = "Copied";
  } }, "Copy");
  const dialog = h("dialog", { class: "pw pw-once", "aria-label": title, onclose: () => { dialog.remove(); back?.focus(); } },
    h("h2", {}, title), h("p", {}, `${what}, shown only now. Whoever has it is let in.`), h("div", { class: "pw-secret-row" }, shown, copy),
    h("form", { method: "dialog" }, h("button", {}, "Done")));
  document.body.append(dialog);
  dialog.showModal();
  shown.select();
}
