// What the last measurement of quality says about stopping; null where nobody has measured yet.

import { get } from "../api.js";

export async function advice(criterion) {
  const { measured } = await get("quality", { criterion });
  return measured?.advice?.words ?? null;
}
