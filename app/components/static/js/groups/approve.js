// Approving more pictures than anybody sees at once: what that records is said first.

import { h, plural } from "../dom.js";

// True once it is meant.
export function meant(pictures, answers) {
  return new Promise((resolve) => {
    let yes = false;
    const say = (meant) => { yes = meant; dialog.close(); };
    const dialog = h("dialog", { class: "pw pw-asking pw-meant", "aria-label": "Approve the whole group?", onclose: () => { dialog.remove(); resolve(yes); } },
      h("h2", {}, `Approve all ${plural(pictures, "picture")} as one group?`),
      h("p", {}, `This says of ${(pictures - 1).toLocaleString()} pictures that each is the same as the one that stands for the group: ${plural(pictures - 1, "pair")}, recorded in ${plural(answers, "answer")}. One undo takes back all of it.`),
      h("p", { class: "pw-muted" }, "Scroll through to the end first, where the pictures are that the model is least sure of. One wrong picture costs one wrong pair."),
      h("div", { class: "pw-meant-say" }, h("button", { type: "button", onclick: () => say(false) }, "Not yet"), h("button", { type: "button", class: "pw-primary", autofocus: true, onclick: () => say(true) }, `Approve ${pictures.toLocaleString()}`)));
    document.body.append(dialog);
    dialog.showModal();
  });
}
