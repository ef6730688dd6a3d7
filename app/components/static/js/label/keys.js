// The keyboard of the labelling screen: which key means what (people may change it), and when a key is not ours.

const KEPT = "pairwright/keys";
// action -> its keys; the first is the one people may choose, the others stay where they are.
export const USUAL = {
  same: ["s", "arrowright"], different: ["d", "arrowleft"], confirm: ["enter"],
  not_comparable: ["n"], unsure: ["u"], skip: ["k"],
  background: ["b"], confidence: ["c"], swap: ["x"], undo: ["z", "backspace"], keys: ["?"],
};
export const NAMES = {
  same: "Same", different: "Different", confirm: "Confirm what is ticked", not_comparable: "Not comparable", unsure: "Unsure", skip: "Skip",
  background: "Alike only by background", confidence: "How sure", swap: "Swap the pictures", undo: "Undo", keys: "These keys",
};
const PAIRS = new Set(["same", "different"]);
const MANY = new Set(["confirm"]);
const ALWAYS = new Set(["background", "confidence", "swap", "undo", "keys"]);
const SHOWN = { arrowright: "\u2192", arrowleft: "\u2190", arrowup: "\u2191", arrowdown: "\u2193", enter: "Enter", backspace: "\u232b", " ": "Space", escape: "Esc" };

export const twoSided = (kind) => kind === "pair" || kind === "merge" || kind === "caption";
const chosen = read();

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return Object.fromEntries(Object.entries(kept).filter(([action, key]) => USUAL[action] && typeof key === "string" && !refused(key)));
  } catch { return {}; }
}

export const keysOf = (action) => [chosen[action] ?? USUAL[action][0], ...USUAL[action].slice(1)];
export const cap = (key) => SHOWN[key] ?? key.toUpperCase();

// Why a key cannot be chosen, or null.
export function refused(key) {
  if (/^[0-9=-]$/.test(key)) return "Numbers tick pictures.";
  if (["tab", "escape", "shift", "control", "alt", "meta", "dead", "process"].includes(key)) return "This key belongs to the browser.";
  if (key.length > 1 && !SHOWN[key]) return "Choose a letter, an arrow, Space or Enter.";
  return null;
}

// Give an action another key; whoever had it gets the old one. Returns the action it was taken from, or null.
export function rebind(action, key) {
  const before = keysOf(action)[0];
  if (before === key) return null;
  const other = Object.keys(USUAL).find((one) => one !== action && keysOf(one)[0] === key) ?? null;
  chosen[action] = key;
  if (other) chosen[other] = before;
  save();
  return other;
}

export function reset() {
  for (const action of Object.keys(chosen)) delete chosen[action];
  save();
}

function save() {
  try { localStorage.setItem(KEPT, JSON.stringify(chosen)); } catch { /* a private window: until the page is left */ }
  document.dispatchEvent(new CustomEvent("pw-keys"));
}

// visible: whether the screen is shown. act(name, event) does it.
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

// A chosen key goes before a usual one.
function meaning(key, kind) {
  const here = Object.keys(USUAL).filter((action) => ALWAYS.has(action) || (kind !== null && !(twoSided(kind) ? MANY : PAIRS).has(action)));
  const found = here.find((action) => keysOf(action)[0] === key) ?? here.find((action) => keysOf(action).includes(key));
  if (found) return found;
  return kind !== null && !twoSided(kind) && /^[0-9=-]$/.test(key) ? `mark:${key}` : null;
}

// Typing in a field, arrows on the tabs and Enter on a button elsewhere are not answers; nothing is, behind a dialog.
function taken(event) {
  const at = event.target;
  if (document.querySelector("dialog[open]")) return true;
  if (!(at instanceof Element)) return false;
  if (at.closest("input, textarea, select, [contenteditable='true']")) return true;
  const outside = at !== document.body && !at.closest(".pw-label");
  const onAction = at.closest(".pw-actions, .pw-status");
  return (outside && /^(Arrow|Enter| )/.test(event.key)) || (onAction && event.key === "Enter");
}
