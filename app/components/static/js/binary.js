// Reads what app/api/binary.py packs: {header, and one typed array under each name}. The arrays are views, not copies.

const TYPES = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array };

export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = 4 + length;
  const found = { header };
  for (const [name, type, count] of header.arrays) {
    const Type = TYPES[type];
    found[name] = new Type(buffer, at, count);
    at += Math.ceil((count * Type.BYTES_PER_ELEMENT) / 8) * 8;
  }
  return found;
}
