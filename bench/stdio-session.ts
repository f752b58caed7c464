/** Many sessions' worth of calls over one stdio pipe, told apart by their ids. */
import type { Session } from "./http-session.ts";

export async function connectStdio(command: readonly string[], sessions: number): Promise<Session[]> {
  const child = Bun.spawn([...command], { stdin: "pipe", stdout: "pipe", stderr: "ignore" });
  const waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  let lastId = 0;

  void (async () => {
    let parts: string[] = [];
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = chunk.split("\n");
      for (let index = 0; index < lines.length; index++) {
        parts.push(lines[index]!);
        if (index === lines.length - 1) continue;
        settle(parts.join(""));
        parts = [];
      }
    }
    for (const { reject } of waiting.values()) reject(new Error(`${command.join(" ")} exited`));
  })();

  function settle(line: string): void {
    // The id stands at one end of the line; reading it must not cost what parsing megabytes does.
    const id = Number(/"id":(\d+)/.exec(line.slice(0, 200))?.[1] ?? /"id":(\d+)/.exec(line.slice(-200))?.[1]);
    const waiter = waiting.get(id);
    waiting.delete(id);
    const beginning = line.slice(0, 4_096);
    if (beginning.includes('"result":') && !beginning.includes('"isError":true')) waiter?.resolve();
    else waiter?.reject(new Error(`${command.join(" ")} answered ${beginning.slice(0, 500)}`));
  }

  const send = (message: object) => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    child.stdin.flush();
  };
  const request = (method: string, params: unknown) => {
    const id = ++lastId;
    const answered = new Promise<void>((resolve, reject) => waiting.set(id, { resolve, reject }));
    send({ jsonrpc: "2.0", id, method, params });
    return answered;
  };
  const clientInfo = { name: "bench", version: "1.0.0" };
  await request("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo });
  send({ jsonrpc: "2.0", method: "notifications/initialized" });
  return Array.from({ length: sessions }, () => ({ request, close: () => child.kill() }));
}
