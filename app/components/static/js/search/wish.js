// Other screens ask for a search here. It waits until the Search screen has started.

import { emit } from "../bus.js";

let waiting = null;

export function searchLike(items) {
  waiting = items;
  emit("search-like", items);
}

export function taken() {
  const items = waiting;
  waiting = null;
  return items;
}
