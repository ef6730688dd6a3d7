// Colours of the points: twelve that are told apart by most eyes, then hues a golden angle apart; a ramp for numbers.

import { dark } from "../theme.js";

const LIGHT = ["#1f7a55", "#ad4427", "#2f5fa8", "#b07a00", "#7b4aa0", "#00808a", "#b8336a", "#5c6b1f", "#8a5a2b", "#4453c4", "#c0566b", "#3c8f2c"];
const DARK = ["#74cd9c", "#f19a7c", "#86b3f2", "#ecc06a", "#c49be6", "#63cdd6", "#f08db4", "#c3cf7a", "#d9ac7c", "#a5aefc", "#f0a3b0", "#8fdc7e"];
const QUIET = { light: "#b9b2a3", dark: "#525c62" };
const RAMP = { light: ["#cfd8d2", "#7fb3a2", "#c79a2e", "#ad4427"], dark: ["#34464a", "#5aa08f", "#d9ac52", "#f19a7c"] };

export const NONE = 65535;
export const quiet = () => (dark() ? QUIET.dark : QUIET.light);

// The colour of the nth entry of a legend.
export function colour(n) {
  const base = dark() ? DARK : LIGHT;
  if (n < base.length) return base[n];
  return fromHue((n * 137.508) % 360, dark() ? 68 : 38, 40 + ((n * 7) % 3) * 10);
}

function fromHue(hue, light, strength) {
  const a = (strength / 100) * Math.min(light / 100, 1 - light / 100);
  const part = (n) => { const k = (n + hue / 30) % 12; return Math.round(255 * (light / 100 - a * Math.max(-1, Math.min(k - 3, 9 - k, 1)))).toString(16).padStart(2, "0"); };
  return `#${part(0)}${part(8)}${part(4)}`;
}

export const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

// part in [0, 1] -> [r, g, b]
export function ramp(part) {
  const stops = (dark() ? RAMP.dark : RAMP.light).map(rgb);
  const at = Math.min(part, 0.9999) * (stops.length - 1);
  const low = Math.floor(at);
  return stops[low].map((value, i) => value + (stops[low + 1][i] - value) * (at - low));
}

export const rampStops = () => (dark() ? RAMP.dark : RAMP.light).join(", ");
