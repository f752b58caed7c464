/**
 * TLS in front of an HTTP server that listens on the loopback device alone: connections are deciphered here and handed
 * on byte by byte. `Bun.serve` speaks TLS itself, but tells nothing of the client's certificate and keeps its own for
 * ever; node:tls, the same on every runtime, does both.
 */
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { connect, type Socket } from "node:net";
import { createServer, type PeerCertificate, type TLSSocket } from "node:tls";
import { type HttpServer, listenError, type Peer, type ServeOptions, serveHttp } from "./serve.ts";

/** What a client showed and an authority of ours signed. */
export interface ClientCertificate {
  /** Common names and units; mostly one of each. */
  readonly cn: readonly string[];
  readonly ou: readonly string[];
  readonly sanUri: readonly string[];
  readonly sanDns: readonly string[];
  /** Calendar milliseconds. */
  readonly validUntil: number;
}

/** PEM texts. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  /** Authorities of client certificates; without, none is asked for. */
  readonly ca?: string | undefined;
  /** Revoked client certificates. */
  readonly crl?: string | undefined;
  readonly requireClientCertificate: boolean;
}

export interface TlsPeer extends Peer {
  readonly certificate: ClientCertificate | undefined;
}

export interface TlsServeOptions extends Omit<ServeOptions, "fetch"> {
  readonly material: TlsMaterial;
  fetch(request: Request, peer: TlsPeer): Response | Promise<Response>;
}

export interface TlsServer extends HttpServer {
  /** For the connections to come. @throws the system's error when the texts do not fit together; then all stays as it is */
  replace(material: TlsMaterial): void;
}

interface Connection {
  readonly address: string;
  readonly certificate: ClientCertificate | undefined;
}

/** Time a client has for the handshake. */
const handshakeMs = 10_000;

/** @throws ConfigError when the address cannot be listened on, or the system's error for the certificates */
export async function serveTls(options: TlsServeOptions): Promise<TlsServer> {
  const { host, port, material, onError } = options;
  /** By the port from which a connection is handed on. */
  const connections = new Map<number, Connection>();
  const open = new Set<TLSSocket>();
  const outer = createServer({ ...contextOf(material), handshakeTimeout: handshakeMs });
  const inner = await serveHttp({
    host: "127.0.0.1",
    port: 0,
    onError,
    fetch(request, peer) {
      const connection = connections.get(peer.port);
      // Whoever found the port beneath on this machine gets no further.
      return connection === undefined
        ? new Response(null, { status: 421 })
        : options.fetch(request, new FrontPeer(peer, connection));
    },
  });
  outer.on("tlsClientError", () => {});
  outer.on("secureConnection", (secure: TLSSocket) => {
    open.add(secure);
    secure.on("error", () => secure.destroy());
    const certificate = secure.authorized ? readCertificate(secure.getPeerCertificate()) : undefined;
    const connection = { address: secure.remoteAddress ?? "unknown", certificate };
    const plain: Socket = connect({ host: "127.0.0.1", port: inner.port, noDelay: true });
    let from: number | undefined;
    plain.on("connect", () => {
      from = plain.localPort;
      if (from !== undefined) connections.set(from, connection);
      secure.pipe(plain);
      plain.pipe(secure);
    });
    const end = () => {
      if (from !== undefined && connections.get(from) === connection) connections.delete(from);
      open.delete(secure);
      secure.destroy();
      plain.destroy();
    };
    secure.on("close", end);
    plain.on("close", () => secure.end());
    plain.on("error", end);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      outer.once("error", reject);
      outer.listen({ host, port }, resolve);
    });
  } catch (error) {
    await inner.stop(0);
    throw listenError(error, options);
  }
  outer.on("error", onError);
  const bound = outer.address();
  let stopping: Promise<void> | undefined;
  return {
    hostname: host,
    port: typeof bound === "object" && bound !== null ? bound.port : port,
    replace: (next) => outer.setSecureContext(contextOf(next)),
    stop(graceMs) {
      stopping ??= (async () => {
        outer.close();
        await inner.stop(graceMs);
        for (const secure of open) secure.destroy();
      })();
      return stopping;
    },
  };
}

function contextOf({ cert, key, ca, crl, requireClientCertificate }: TlsMaterial) {
  // Deno would find out with the first client.
  const own = createPublicKey(createPrivateKey(key)).export({ type: "spki", format: "der" });
  if (!own.equals(new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" })))
    throw new TypeError("the key is not the one in the certificate");
  return {
    cert,
    key,
    minVersion: "TLSv1.3" as const,
    ALPNProtocols: ["http/1.1"],
    ...(ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: requireClientCertificate }),
    ...(crl === undefined ? {} : { crl }),
  };
}

class FrontPeer implements TlsPeer {
  readonly #inner: Peer;
  readonly #connection: Connection;

  constructor(inner: Peer, connection: Connection) {
    this.#inner = inner;
    this.#connection = connection;
  }

  get address(): string {
    return this.#connection.address;
  }

  get port(): number {
    return this.#inner.port;
  }

  get certificate(): ClientCertificate | undefined {
    return this.#connection.certificate;
  }

  keepOpen(): void {
    this.#inner.keepOpen();
  }

  upgrade(options: Parameters<Peer["upgrade"]>[0]): Promise<Response | undefined> {
    return this.#inner.upgrade(options);
  }
}

function readCertificate(certificate: PeerCertificate | undefined): ClientCertificate | undefined {
  if (certificate?.subject === undefined) return undefined;
  const { subject, subjectaltname = "", valid_to } = certificate;
  const names = alternativeNames(subjectaltname);
  return {
    cn: [subject.CN ?? []].flat(),
    ou: [subject.OU ?? []].flat(),
    sanUri: names.filter(([kind]) => kind === "URI").map(([, name]) => name),
    sanDns: names.filter(([kind]) => kind === "DNS").map(([, name]) => name),
    validUntil: Date.parse(valid_to),
  };
}

/**
 * `DNS:a, URI:b`. A name with a comma or a quote in it comes as a JSON string since CVE-2021-44532, so that it cannot
 * pass for two.
 */
function alternativeNames(text: string): [kind: string, name: string][] {
  return [...text.matchAll(/([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)].flatMap(([, kind = "", name = ""]) => {
    if (!name.startsWith('"')) return [[kind, name] as [string, string]];
    try {
      return [[kind, JSON.parse(name) as string] as [string, string]];
    } catch {
      return [];
    }
  });
}
