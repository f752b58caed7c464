import type { FaceContext } from "../../clients/face.ts";

/** What a client asks to be shown: a routing profile, by address (for a client that can set nothing else) or by header. */
export function viewAskedBy({ url, headers }: Request): Required<Pick<FaceContext, "profile" | "address">> {
  const fromAddress = url.includes("profile=") ? new URL(url).searchParams.get("profile") : null;
  return { profile: fromAddress || headers.get("x-mcp-profile") || undefined, address: url };
}
