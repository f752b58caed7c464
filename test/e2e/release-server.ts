/** A folder of release files on a port of this machine, as `install.sh` and `mcp-gateway upgrade` see it. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReleaseServer {
  readonly url: string;
  /** Path without its first `/` → what is answered; SHA256SUMS is made from the others unless it is here. */
  readonly files: Map<string, string>;
  /** Files whose answer breaks off in the middle. */
  readonly broken: Set<string>;
  /** Files whose answer stops in the middle and waits; what is here is called when it does. */
  readonly stalled: Map<string, () => void>;
  close(): void;
}

export const sha256 = (content: string) => createHash("sha256").update(content).digest("hex");

export async function startReleaseServer(): Promise<ReleaseServer> {
  const files = new Map<string, string>();
  const broken = new Set<string>();
  const stalled = new Map<string, () => void>();
  const sums = () => Array.from(files, ([name, content]) => `${sha256(content)}  ${name}\n`).join("");
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? "";
    const content = files.get(name) ?? (name === "SHA256SUMS" ? sums() : undefined);
    if (content === undefined) response.writeHead(404).end();
    else if (broken.has(name) || stalled.has(name)) {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.slice(0, content.length / 2), stalled.get(name) ?? (() => response.destroy()));
    } else response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    files,
    broken,
    stalled,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
