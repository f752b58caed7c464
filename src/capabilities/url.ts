/** The address of a call. A caller's value can fill a place in it and never make one: not a host, a folder or a parameter. */
import type { HttpSettings } from "./definition-schema.ts";
import { Refusal } from "./refusal.ts";
import { asText, isEnv, placeholdersIn, renderText, type Scope, solePlaceholder } from "./template.ts";

/** The template of the URL without query parameters; `path_selector` picks the path by an argument. */
export function urlTemplate(rest: HttpSettings, args: Scope["args"]): string {
  if (rest.endpoint !== undefined) return rest.endpoint;
  const { path_selector: selector } = rest;
  if (selector === undefined) return joinPath(rest.base_url, rest.path);
  const chosen = asText(args[selector.parameter] ?? selector.default ?? "");
  const path = Object.hasOwn(selector.paths, chosen) ? selector.paths[chosen] : undefined;
  if (path === undefined)
    throw new Refusal(`"${selector.parameter}" must be one of ${quoted(Object.keys(selector.paths), ", ")}`);
  return joinPath(rest.base_url, path);
}

/** @throws Refusal when a value is missing or would change where the request goes */
export function renderUrl(template: string, query: readonly (readonly [string, string])[], scope: Scope): string {
  const withEnv = renderText(template, { ...scope, declared: noNames });
  if (withEnv === undefined) throw missing(template, scope);
  const [, origin, path = "", rawQuery = ""] = splitUrl(withEnv, scope) ?? [];
  if (origin === undefined)
    throw new Refusal("The address of this capability is not an http or https URL", "Set base_url or endpoint to one");
  const host = renderText(origin, scope, hostLabel);
  const renderedPath = path.split("/").map((segment) => renderSegment(segment, scope));
  if (host === undefined) throw missing(origin, scope);
  const pairs = rawQuery === "" ? [] : rawQuery.split("&").map((pair) => renderText(pair, scope, encodePart));
  for (const [name, value] of query) pairs.push(`${encodePart(name)}=${encodePart(value)}`);
  const search = pairs.filter((pair) => pair !== undefined).join("&");
  return `${host}${renderedPath.join("/")}${search === "" ? "" : `?${search}`}`;
}

const noNames: ReadonlySet<string> = new Set();

/** Origin, path and query of an http(s) URL; an endpoint that is one argument as a whole is that argument. */
function splitUrl(template: string, scope: Scope): RegExpExecArray | null {
  const name = solePlaceholder(template);
  const whole = name === undefined ? template : renderText(template, scope);
  if (whole === undefined) throw missing(template, scope);
  return /^(https?:\/\/[^/?#\\\s]+)([^?#]*)(?:\?([^#]*))?/i.exec(name === undefined ? whole : literal(whole));
}

/** A URL the caller gives as a whole has no placeholders of its own. */
function literal(url: string): string {
  return url.replaceAll("{", "%7B").replaceAll("}", "%7D");
}

function renderSegment(template: string, scope: Scope): string {
  const segment = renderText(template, scope, encodePart);
  if (segment === undefined) throw missing(template, scope);
  // Every URL parser folds "." and "..", also when they are percent-encoded, so these values cannot be sent at all.
  if (segment !== template && /^(\.|%2e){0,2}$/i.test(segment))
    throw new Refusal(`${quoted(placeholdersIn(template))} must not be empty, "." or "..": it is a part of the path`);
  return segment;
}

function hostLabel(value: string, name: string): string {
  if (/^[A-Za-z0-9-]+$/.test(value)) return value;
  throw new Refusal(`"${name}" may only have letters, digits and "-": it is a part of the host name`);
}

function encodePart(value: string): string {
  return encodeURIComponent(value.toWellFormed());
}

function missing(template: string, scope: Scope): Refusal {
  const names = placeholdersIn(template).filter((name) => renderText(`{${name}}`, scope) === undefined);
  const variables = names.filter(isEnv).map((name) => name.slice("env.".length));
  return variables.length > 0
    ? new Refusal(
        `The address of this API needs the environment variable ${quoted(variables)}`,
        "Ask the operator of the gateway to set it",
        { outcome: "unsent" },
      )
    : new Refusal(`${quoted(names)} is missing: the address of the API needs it`);
}

function quoted(names: readonly string[], separator = " and "): string {
  return names.map((name) => `"${name}"`).join(separator);
}

function joinPath(base: string, path: string): string {
  if (path === "") return base;
  return `${base.endsWith("/") ? base.slice(0, -1) : base}${path.startsWith("/") ? "" : "/"}${path}`;
}
