// Why two pictures are together: the chain of answers that joins them, or the honest word that only the model thinks so.

import { get } from "../api.js";
import { h } from "../dom.js";
import { toast } from "../toast.js";
import { chainOf, shot } from "./chain.js";

export async function evidence([a, b], about) {
  let found;
  try {
    found = await get("groups/evidence", { criterion: about.id, a: a.id, b: b.id });
  } catch (error) {
    return toast(error.message, { bad: true });
  }
  const box = h("dialog", { class: "pw pw-evidence", "aria-label": "Evidence", onclose: () => box.remove(), onclick: (event) => { if (event.target === box) box.close(); } },
    h("header", {}, h("h2", {}, headline(found)), h("button", { type: "button", class: "pw-quiet", onclick: () => box.close() }, "Close")),
    h("p", { class: "pw-muted" }, sentence(found)),
    found.chain.length ? chainOf(found.chain) : h("div", { class: "pw-evidence-two" }, shot(found.a, 512), shot(found.b, 512)));
  document.body.append(box);
  box.showModal();
  return box;
}

const headline = (found) => ({ same: "Joined by answers", different: "Kept apart by answers" })[found.verdict] ?? "Believed by the model only";

function sentence(found) {
  const alike = `similarity ${found.cosine.toFixed(2)}`;
  if (!found.verdict) return found.together ? `No answer joins these two. The model puts them together: ${alike}. Approve them, or say that one does not belong.` : `No answer speaks about these two, and the model keeps them in two groups: ${alike}.`;
  const n = found.chain.length;
  return `${n === 1 ? "One answer says so directly" : `A chain of ${n} answers says so`}; ${Math.round(100 * found.confidence)} % sure that every step is right. To the model: ${alike}.`;
}
