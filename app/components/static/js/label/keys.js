// The keyboard of the labelling screen: which key means what, and when a key is not ours.

export const PAIR = { s: "same", arrowright: "same", d: "different", arrowleft: "different" };
export const MANY = { enter: "confirm" };
export const BOTH = { n: "not_comparable", u: "unsure", k: "skip" };
const COMMANDS = { b: "background", z: "undo", backspace: "undo", x: "swap" };

// visible: whether the screen is shown. act(name, event) does it and returns true if the key was ours.
export function listen(visible, kind, act) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !visible() || taken(event)) return;
    const name = meaning(event.key.toLowerCase(), kind());
    if (!name) return;
    event.preventDefault();
    event.stopPropagation();
    document.activeElement?.closest?.('[role="tablist"]') && document.activeElement.blur();
    if (!event.repeat || name === "undo") act(name, event); // a held key answers once
  }, true);
}

function meaning(key, kind) {
  if (COMMANDS[key]) return COMMANDS[key];
  if (kind === null) return null;
  return BOTH[key] ?? (kind === "pair" ? PAIR : MANY)[key] ?? (kind !== "pair" && /^[0-9=-]$/.test(key) ? `mark:${key}` : null);
}

// Typing in a field, arrows on the tabs and Enter on a button elsewhere are not answers.
function taken(event) {
  const at = event.target;
  if (!(at instanceof Element)) return false;
  if (at.closest("input, textarea, select, [contenteditable='true']")) return true;
  const outside = at !== document.body && !at.closest(".pw-label");
  const onAction = at.closest(".pw-actions, .pw-status");
  return (outside && /^(Arrow|Enter| )/.test(event.key)) || (onAction && event.key === "Enter");
}
