// Rest the pointer on a picture to see it large beside itself. The large version is fetched only then.

import { picture } from "../api.js";
import { h } from "../dom.js";

const WAIT_MS = 350;

export function zoom(stage) {
  const large = h("img", { alt: "" });
  const frame = document.body.appendChild(h("div", { class: "pw-zoom", "aria-hidden": "true" }, large));
  let timer = null;
  const hide = () => { clearTimeout(timer); frame.style.display = "none"; };

  stage.addEventListener("pointerover", (event) => {
    const shot = event.target.closest(".pw-shot");
    if (!shot || event.pointerType === "touch") return;
    clearTimeout(timer);
    timer = setTimeout(() => show(shot), WAIT_MS);
  });
  stage.addEventListener("pointerout", (event) => { if (!event.relatedTarget?.closest?.(".pw-shot")) hide(); });
  stage.addEventListener("pointerdown", hide);

  function show(shot) {
    const small = shot.querySelector("img");
    const box = shot.getBoundingClientRect();
    if (!small || !shot.isConnected) return;
    const side = Math.min(innerHeight - 40, innerWidth * 0.48, 720);
    if (side < box.width * 1.15) return; // already as large
    large.src = picture(small.dataset.media, 1024);
    const left = box.left > innerWidth / 2 ? box.left - side - 14 : box.right + 14;
    Object.assign(frame.style, { display: "block", width: `${side}px`, height: `${side}px`,
      left: `${Math.max(12, Math.min(left, innerWidth - side - 12))}px`, top: `${Math.max(12, Math.min(box.top + box.height / 2 - side / 2, innerHeight - side - 12))}px` });
  }
  return hide;
}
