/** The HTTP door behind TLS: reads the certificates, follows their files, and tells who comes by a certificate. */
import type { Caller } from "../../core/caller.ts";
import { ConfigError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { readText } from "../../runtime/files.ts";
import type { HttpServer, ServeOptions } from "../../runtime/serve.ts";
import { serveTls, type TlsMaterial, type TlsPeer } from "../../runtime/tls-front.ts";
import { watchFiles } from "../../runtime/watch.ts";
import type { Guest } from "../http/visit.ts";
import { callerOfCertificate } from "./caller-of-certificate.ts";
import type { MtlsSettings } from "./schema.ts";

export interface TlsDoorOptions extends Omit<ServeOptions, "fetch"> {
  fetch(request: Request, guest: Guest): Response | Promise<Response>;
}

const maxBytes = 1_048_576;

/**
 * Which files there are is fixed from here on; what is in them, and the policies, may change.
 * @throws ConfigError for a file that cannot be used, and when the address cannot be listened on
 */
export async function openTls(gateway: Gateway, settings: MtlsSettings, options: TlsDoorOptions): Promise<HttpServer> {
  const { log } = gateway;
  if (settings.crl_path !== undefined && !("Bun" in globalThis))
    throw new ConfigError("mtls.crl_path works only in the executable: this runtime does not look at revocation lists");
  const server = await serveTls({
    ...options,
    material: await readMaterial(settings),
    fetch: (request, peer) => options.fetch(request, guestOf(gateway, peer)),
  }).catch((error: unknown) => {
    throw error instanceof ConfigError ? error : unusable(settings, error);
  });
  const paths = [settings.server_cert, settings.server_key, settings.ca_cert, settings.crl_path ?? ""];
  let before = JSON.stringify(await readMaterial(settings));
  const renew = async () => {
    try {
      const material = await readMaterial(settings);
      if (JSON.stringify(material) === before) return;
      server.replace(material);
      before = JSON.stringify(material);
      log.info("Certificates were read again", { certificate: settings.server_cert });
    } catch (error) {
      log.error("The changed certificates cannot be used, those before stay in force", { reason: String(error) });
    }
  };
  const watcher = watchFiles(
    paths.filter((path) => path !== ""),
    () => void renew(),
  );
  return {
    hostname: server.hostname,
    port: server.port,
    stop(graceMs) {
      watcher.close();
      return server.stop(graceMs);
    },
  };
}

function guestOf(gateway: Gateway, peer: TlsPeer): Guest {
  const { certificate } = peer;
  return {
    get address() {
      return peer.address;
    },
    keepOpen: () => peer.keepOpen(),
    upgrade: (upgrade) => peer.upgrade(upgrade),
    get certified(): Caller | "nobody" | undefined {
      const policies = gateway.config.mtls?.policies ?? [];
      if (policies.length === 0) return undefined;
      return certificate === undefined ? "nobody" : callerOfCertificate(certificate, policies);
    },
  };
}

async function readMaterial(settings: MtlsSettings): Promise<TlsMaterial> {
  const { server_cert, server_key, ca_cert, crl_path, require_client_cert } = settings;
  const [cert, key, ca, crl] = await Promise.all([
    readPem("server_cert", server_cert, "CERTIFICATE"),
    readPem("server_key", server_key, "PRIVATE KEY"),
    ca_cert === "" ? undefined : readPem("ca_cert", ca_cert, "CERTIFICATE"),
    crl_path === undefined ? undefined : readPem("crl_path", crl_path, "X509 CRL"),
  ]);
  return { cert, key, ca, crl, requireClientCertificate: require_client_cert };
}

async function readPem(key: string, path: string, kind: string): Promise<string> {
  let text: string;
  try {
    text = await readText(path, maxBytes);
  } catch (error) {
    throw new ConfigError(`mtls.${key}: "${path}" cannot be read: ${(error as Error).message}`, { cause: error });
  }
  if (!new RegExp(`-----BEGIN (?:[A-Z]+ )?${kind}-----`).test(text))
    throw new ConfigError(`mtls.${key}: "${path}" has no "BEGIN ${kind}": it must be a PEM file`);
  return text;
}

function unusable({ server_cert, server_key }: MtlsSettings, error: unknown): ConfigError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ConfigError(`"${server_cert}" and "${server_key}" cannot be used for TLS: ${reason}`, {
    hint: "mtls.server_key must be the private key, without a passphrase, of the first certificate in mtls.server_cert",
    cause: error,
  });
}
