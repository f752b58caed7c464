/** A value as YAML for reading; never written anywhere. */
export function yaml(value, indent = "") {
  const isEmpty = (one) => one === null || typeof one !== "object" || Object.keys(one).length === 0;
  if (isEmpty(value)) return `${indent}${scalar(value)}\n`;
  if (Array.isArray(value))
    return value
      .map((item) =>
        isEmpty(item) ? `${indent}- ${scalar(item)}\n` : `${indent}- ${yaml(item, `${indent}  `).trimStart()}`,
      )
      .join("");
  return Object.entries(value)
    .map(([key, item]) =>
      isEmpty(item)
        ? `${indent}${scalar(key)}: ${scalar(item)}\n`
        : `${indent}${scalar(key)}:\n${yaml(item, `${indent}  `)}`,
    )
    .join("");
}

function scalar(value) {
  if (typeof value !== "string") return value === null ? "null" : JSON.stringify(value);
  if (/^\d+(ms|s|m|h|d)$/.test(value)) return value;
  return /^[\w./@•-][\w ./@:•%+-]*$/.test(value) &&
    !/: |^\d|^(true|false|null|yes|no|on|off)$/i.test(value) &&
    !value.endsWith(" ")
    ? value
    : JSON.stringify(value);
}
