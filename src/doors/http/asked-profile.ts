/** The routing profile a request asks for: by address, so that a client that can set nothing else can ask too, or by header. */
export function profileAskedBy({ url, headers }: Request): string | undefined {
  const fromAddress = url.includes("profile=") ? new URL(url).searchParams.get("profile") : null;
  return fromAddress || headers.get("x-mcp-profile") || undefined;
}
