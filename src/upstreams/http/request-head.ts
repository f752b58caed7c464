/**
 * Method, address and headers of a request: checked and written out once, sent many times. All headers are made here
 * from the configuration and the protocol; nothing of a client's request is ever among them but what it sends for this very server (T9, T19).
 */
import { UpstreamError } from "../../core/errors.ts";

export type Method = "GET" | "POST" | "DELETE";

/** RFC 9110 7.6.1 and the framing of the message, which is ours alone. */
const notSettable = new Set([
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export class RequestHead {
  readonly method: Method;
  readonly url: URL;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it goes over a socket, up to and without the empty line, so that `Content-Length` can follow. */
  readonly wire: string;

  /** Headers whose value is `undefined` are left out. */
  constructor(method: Method, url: URL, headers: Readonly<Record<string, string | undefined>>) {
    this.method = method;
    this.url = url;
    const checked: Record<string, string> = {};
    let wire = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n`;
    if (headers["host"] === undefined) wire += `host: ${url.host}\r\n`;
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined) continue;
      checked[name] = value;
      wire += `${name}: ${value}\r\n`;
    }
    this.headers = checked;
    this.wire = wire;
  }
}

/**
 * The backend's own `headers`, with lower-case names.
 * @throws UpstreamError UPSTREAM_START_FAILED for one that cannot be sent
 */
export function checkedHeaders(server: string, headers: Readonly<Record<string, string>>): Record<string, string> {
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const problem = headerProblem(name.toLowerCase(), value);
    if (problem !== undefined)
      throw new UpstreamError(
        "UPSTREAM_START_FAILED",
        `Cannot send header "${name}" to server "${server}": ${problem}`,
        {
          hint: `Change or remove it in "headers" of the backend`,
          data: { server },
        },
      );
    checked[name.toLowerCase()] = value;
  }
  return checked;
}

/** Why a header cannot be sent, its name in lower case; `undefined` when it can. */
export function headerProblem(name: string, value: string): string | undefined {
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) return "the name is not an HTTP token";
  if (notSettable.has(name)) return "it belongs to the connection";
  if (!isHeaderValue(value)) return "the value holds a line break or another character that HTTP does not allow";
  return undefined;
}

/** Printable ASCII, blank and tab: what every server reads alike. */
export function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(value);
}

/** `fetch` refuses a URL with credentials, and the request line has no place for them. */
export function credentialsOf({ username, password }: URL): Record<string, string> {
  if (username === "" && password === "") return {};
  const pair = new TextEncoder().encode(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return { authorization: `Basic ${btoa(String.fromCharCode(...pair))}` };
}
