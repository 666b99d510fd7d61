/** Makes a value of plain objects, arrays and maps unchangeable, all the way down. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  // The language cannot freeze the elements of a byte array.
  if (ArrayBuffer.isView(value)) return value;
  if (value instanceof Map) {
    // Freezing does not reach a map's entries; without its methods they are out of reach as well.
    for (const method of ['set', 'delete', 'clear']) Object.defineProperty(value, method, { value: refuseChange });
  }
  for (const part of value instanceof Map ? value.values() : Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

function refuseChange(): never {
  throw new TypeError('the configuration cannot be changed');
}
