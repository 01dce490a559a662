// Conversion between google.protobuf.Struct or Timestamp and JavaScript values.

export function toStruct(object) {
  return { fields: Object.fromEntries(Object.entries(object).map(([name, value]) => [name, toValue(value)])) };
}

export function fromStruct(struct) {
  const fields = Object.entries(struct?.fields ?? {});
  return Object.fromEntries(fields.map(([name, value]) => [name, fromValue(value)]));
}

/** The time in the format of an Auth.js session. */
export function toDate({ seconds = 0, nanos = 0 }) {
  return new Date(seconds * 1_000 + nanos / 1_000_000).toISOString();
}

function toValue(value) {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "number") return { numberValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (Array.isArray(value)) return { listValue: { values: value.map(toValue) } };
  if (typeof value === "object" && value !== null) return { structValue: toStruct(value) };
  return { nullValue: 0 };
}

function fromValue(value) {
  switch (value.kind) {
    case "listValue":
      return (value.listValue.values ?? []).map(fromValue);
    case "structValue":
      return fromStruct(value.structValue);
    case "nullValue":
      return null;
    default:
      return value[value.kind];
  }
}
