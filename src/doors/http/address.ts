/** Parts of a request's address. Not by `new URL`: it costs more than routing, and would decode dots that no route has. */

/** Not decoded, without query. */
export function pathOf(url: string): string {
  // The authority was checked to be a plain host; runtimes write "http://host" before the path, or nothing.
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", start);
  const hash = url.indexOf("#", start);
  const end = Math.min(query < 0 ? url.length : query, hash < 0 ? url.length : hash);
  return url.slice(start, end);
}

/** The stream that a POST to `/messages` is for. */
export function streamIdOf(url: string): string | null {
  return /[?&]sessionId=([\w-]+)/.exec(url)?.[1] ?? null;
}
