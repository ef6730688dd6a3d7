// What is said about several pictures at once: ordinary answers, sent until the server has them, taken back by `undo`.

import { key, post } from "./api.js";

const PAUSES_MS = [300, 900, 2500, 5000];

// The same key again and again: however often it is sent, it is stored once.
async function surely(path, body, idempotency) {
  for (let turn = 0; ; turn += 1) {
    try {
      return await post(path, body, { idempotency });
    } catch (error) {
      if (!error.passing || turn >= PAUSES_MS.length) throw error;
      await new Promise((resolve) => { setTimeout(resolve, PAUSES_MS[turn]); });
    }
  }
}

export const say = (body) => surely("answers/about", body, key());

export async function takeBack(receipt) {
  for (const one of receipt.answers) await surely(`answers/${one.id}/undo`, {}, `undo-${one.id}`);
}
