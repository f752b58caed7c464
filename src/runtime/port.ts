/** Looks at a TCP port without being a client or a server of anything. */
import { connect, createServer } from "node:net";

/** Whether something listens there. */
export function canConnect(host: string, port: number, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (connected: boolean) => {
      socket.destroy();
      resolve(connected);
    };
    socket.setTimeout(withinMs, () => end(false));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}

/** Whether we could listen there; resolves with the system's error code where not, e.g. `EADDRINUSE`. */
export function listenProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
