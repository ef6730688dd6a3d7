// How sure somebody is of an answer, if they care to say: the chance that goes with it.

const STEPS = [null, 0.95, 0.75, 0.6];
const WORDS = new Map([[null, "How sure"], [0.95, "Certain"], [0.75, "Probably"], [0.6, "A guess"]]);

export const sureness = (value) => WORDS.get(value) ?? "How sure";
export const surer = (value) => STEPS[(STEPS.indexOf(value) + 1) % STEPS.length];
