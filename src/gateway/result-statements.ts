/** What the gateway says of results and signs: signatures for clients that have the key, and receipts of where they are from. */
import type { Catalog } from "../catalog/catalog.ts";
import { receivedText } from "../core/signed-result.ts";
import type { UpstreamKind } from "../core/upstream.ts";
import { version } from "../core/version.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import type { Clock } from "../lib/clock.ts";
import { hmacSha256Hex, sha256Hex } from "../runtime/digest.ts";
import type { Environment } from "../runtime/process.ts";
import { randomToken } from "../runtime/random.ts";
import type { Receipt } from "../stages/provenance/provenance-stage.ts";
import { NonceBook } from "../stages/signature/nonce-book.ts";
import type { Signer } from "../stages/signature/signature-stage.ts";
import { definitionDigest } from "./definition-digest.ts";
import type { Sharing } from "./sharing.ts";

/** Remembers nonces, with the other gateways where there are any. */
export function createSigner(clock: Pick<Clock, "now">, sharing: Pick<Sharing, "state">): Signer {
  const book = new NonceBook(clock);
  return {
    async claim(principal, nonce, windowMs) {
      const here = book.claim(principal, nonce, windowMs);
      if (here !== "new" || windowMs === 0) return here;
      const shared = await sharing.state;
      return shared === undefined || (await shared.nonces.take(principal, nonce.text, windowMs)) ? "new" : "seen";
    },
    async release(principal, nonce) {
      book.release(principal, nonce);
      await (await sharing.state)?.nonces.free(principal, nonce.text);
    },
    hmac: hmacSha256Hex,
    newNonce: () => randomToken(16),
    now: Date.now,
  };
}

/**
 * Receipts are signed where GATEWAY_ATTESTATION_SIGNING_KEY is set (HMAC-SHA-256 of the canonical JSON of the rest, in
 * hexadecimal); GATEWAY_ATTESTATION_KEY_ID names the key.
 */
export function receiptOf(catalog: Catalog, transport: UpstreamKind, env: Environment): Receipt {
  const key = env["GATEWAY_ATTESTATION_SIGNING_KEY"] ?? "";
  const keyId = env["GATEWAY_ATTESTATION_KEY_ID"] || "default";
  return ({ upstream: server, params, caller, requestId }, tool, answer) => {
    const receipt = {
      gateway: version,
      server,
      transport,
      tool,
      definition_sha256: definitionDigest(catalog, server, tool) ?? null,
      request_sha256: sha256Hex(canonicalJson({ name: tool, arguments: params?.["arguments"] ?? {} })),
      response_sha256: sha256Hex(receivedText(answer.exactValue)),
      time: new Date().toISOString(),
      principal_sha256: sha256Hex(caller.principal),
      request_id: requestId,
      ...(key !== "" && { key_id: keyId }),
    };
    return key === "" ? receipt : { ...receipt, sig: hmacSha256Hex(key, canonicalJson(receipt)) };
  };
}
