/** A form out of a JSON Schema: fields for plain values, JSON text for the rest. */
import { h } from "./dom.js";

const longText = /content|text|body|query|code|prompt|message|description|sql/i;

export function fields(schema) {
  const properties = Object.entries(schema?.properties ?? {});
  const required = Array.isArray(schema?.required) ? schema.required : [];
  const isRequired = (name) => required.includes(name);
  properties.sort(([a], [b]) => isRequired(b) - isRequired(a));
  return properties.map(([name, property]) =>
    field(name, typeof property === "object" ? (property ?? {}) : {}, isRequired(name)),
  );
}

function field(name, schema, required) {
  const id = `field-${name}`;
  const kind = kindOf(schema);
  const attributes = {
    id,
    name,
    required: required && kind !== "boolean",
    "data-kind": kind,
    "data-key": `input ${name}`,
    "aria-describedby": schema.description ? `${id}-note` : undefined,
  };
  return h(
    "div",
    { class: "field", "data-key": name },
    h(
      "label",
      { for: id },
      name,
      required
        ? h("b", { class: "required", title: "Required" }, " *")
        : h("span", { class: "muted" }, ` ${kind === "json" ? typeText(schema) : kind}`),
    ),
    control(attributes, kind, schema),
    schema.description && h("p", { id: `${id}-note`, class: "muted small" }, schema.description),
  );
}

function control(attributes, kind, schema) {
  const preset =
    schema.default === undefined
      ? undefined
      : typeof schema.default === "string"
        ? schema.default
        : JSON.stringify(schema.default);
  switch (kind) {
    case "boolean":
      return h(
        "select",
        attributes,
        h("option", { value: "" }, "–"),
        ["true", "false"].map((value) => h("option", { value, selected: preset === value }, value)),
      );
    case "enum":
      return h(
        "select",
        attributes,
        h("option", { value: "" }, "–"),
        schema.enum.map((value) =>
          h("option", { value: JSON.stringify(value), selected: schema.default === value }, String(value)),
        ),
      );
    case "integer":
    case "number":
      return h("input", {
        ...attributes,
        type: "number",
        step: kind === "integer" ? "1" : "any",
        min: schema.minimum,
        max: schema.maximum,
        placeholder: preset,
      });
    case "json":
      return h("textarea", {
        ...attributes,
        rows: 3,
        spellcheck: "false",
        placeholder: preset ?? (schema.type === "array" ? "[]" : "{}"),
      });
    default:
      return longText.test(attributes.name)
        ? h("textarea", { ...attributes, rows: 2, placeholder: preset })
        : h("input", { ...attributes, type: "text", placeholder: preset, spellcheck: "false", autocomplete: "off" });
  }
}

function kindOf(schema) {
  if (Array.isArray(schema.enum)) return "enum";
  const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== "null") : schema.type;
  if (type === "integer" || type === "number" || type === "boolean" || type === "string") return type;
  return "json";
}

function typeText({ type, items }) {
  return type === "array" ? `list of ${items?.type ?? "values"}, as JSON` : `${type ?? "value"}, as JSON`;
}

/** The arguments a person filled in. @throws Error that names the field */
export function values(form) {
  const found = {};
  for (const input of form.elements) {
    const { name, value } = input;
    const kind = input.dataset?.kind;
    if (kind === undefined || (value === "" && !(kind === "string" && input.required))) continue;
    found[name] = kind === "string" ? value : parsed(name, value);
  }
  return found;
}

function parsed(name, value) {
  try {
    return JSON.parse(value);
  } catch {
    throw new Error(`"${name}" is not valid JSON`);
  }
}
