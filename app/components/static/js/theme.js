// Light or dark: the system's choice until somebody chooses; then theirs.

const KEY = "pairwright/theme";

export const dark = () => document.body.classList.contains("dark");

export function apply() {
  const wanted = localStorage.getItem(KEY) ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.body.classList.toggle("dark", wanted === "dark");
  document.documentElement.classList.toggle("dark", wanted === "dark");
}

export function toggle() {
  localStorage.setItem(KEY, dark() ? "light" : "dark");
  apply();
}
