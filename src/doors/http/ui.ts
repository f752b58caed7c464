/** The dashboard's files, out of the executable. They hold no data; the page asks for that with its own credentials. */

import { GatewayError } from "../../core/errors.ts";
import { embeddedFiles } from "../../runtime/embedded.ts";
import { send, sendEmpty } from "./respond.ts";
import type { Visit } from "./visit.ts";

const contentTypes: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};
/** Only its own files, nothing inline, no frames, no forms to elsewhere (T6). */
export const dashboardProtection = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
};
const base = "/ui/";

let files: Promise<ReadonlyMap<string, string>> | undefined;

/** The page's own addresses are relative to `/ui/`. Also the answer to `/`. */
export function toDashboard(visit: Visit): Response {
  return sendEmpty(visit, 307, { location: base });
}

export async function dashboardFile(visit: Visit): Promise<Response> {
  files ??= embeddedFiles("ui");
  const name = visit.path === base ? "index.html" : visit.path.slice(base.length);
  const text = (await files).get(name);
  const contentType = contentTypes[name.slice(name.lastIndexOf(".") + 1)];
  if (text === undefined || contentType === undefined)
    throw new GatewayError("RESOURCE_NOT_FOUND", `The dashboard has no file "${name.slice(0, 200)}"`);
  return send(visit, 200, contentType, text, dashboardProtection);
}
