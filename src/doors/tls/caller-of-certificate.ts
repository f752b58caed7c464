/** From a client certificate to a caller: the first policy that matches decides, none refuses. */
import type { Caller } from "../../core/caller.ts";
import { DeniedError } from "../../core/errors.ts";
import { certificatePrincipalOf } from "../../gateway/principals.ts";
import { escapeHidden } from "../../lib/escape-hidden.ts";
import { globMatches } from "../../lib/glob.ts";
import type { ClientCertificate } from "../../runtime/tls-front.ts";
import type { MtlsSettings } from "./schema.ts";

type Policy = MtlsSettings["policies"][number];

/** @throws DeniedError FORBIDDEN */
export function callerOfCertificate(certificate: ClientCertificate, policies: readonly Policy[]): Caller {
  const policy = policies.find(({ match }) => matches(match, certificate));
  const { cn, ou, sanUri, sanDns, validUntil } = certificate;
  const name = escapeHidden((cn[0] ?? sanUri[0] ?? sanDns[0] ?? "certificate").slice(0, 100));
  if (policy === undefined)
    throw new DeniedError("FORBIDDEN", `No policy lets the client certificate of "${name}" in`, {
      hint: "The operator of the gateway can add one to mtls.policies",
    });
  const { allow, deny } = policy;
  // Not the certificate: short-lived ones follow each other within a session.
  const principal = certificatePrincipalOf(JSON.stringify([cn, ou, sanUri, sanDns]));
  return {
    principal,
    name,
    admin: false,
    backends: allowedBackends(allow),
    deniedBackends: deny?.backends,
    allowedTools: allow === undefined || allow.tools.length === 0 ? undefined : allow.tools,
    deniedTools: deny?.tools,
    // Several certificates may have one name, and only all their names together tell them apart.
    identity: { issuer: undefined, subject: principal, name },
    validUntil,
  };
}

/** What is allowed without a word of backends is about tools alone; an `allow` that is absent or empty gives nothing. */
function allowedBackends(allow: Policy["allow"]): readonly string[] | undefined {
  if (allow === undefined || (allow.backends.length === 0 && allow.tools.length === 0)) return [];
  return allow.backends.length === 0 || allow.backends.includes("*") ? undefined : allow.backends;
}

/** Everything that is named must match; a policy that names nothing matches nothing. */
function matches(match: Policy["match"], certificate: ClientCertificate): boolean {
  if (match.any) return true;
  const wanted = [
    [match.cn, certificate.cn],
    [match.ou, certificate.ou],
    [match.san_uri, certificate.sanUri],
    [match.san_dns, certificate.sanDns],
  ] as const;
  const named = wanted.filter(([pattern]) => pattern !== undefined);
  return (
    named.length > 0 && named.every(([pattern, names]) => names.some((name) => globMatches(pattern as string, name)))
  );
}
