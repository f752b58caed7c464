/** Rules about `security.identity_grants`; loaded for the files that use it. */
import type { Findings } from "../backends.ts";
import type { Path } from "../path.ts";
import type { ParsedConfig } from "../schema.ts";

export function checkGrants({ auth, mtls, security }: ParsedConfig, found: Findings): void {
  const { enabled, trust_caller_identity_headers: trustsHeaders } = security.identity_grants;
  const path: Path = ["security", "identity_grants"];
  if (trustsHeaders) {
    const text =
      'is not available: whoever reaches the gateway can send any header. Let identities come by tokens ("auth.issuers", "key_server")';
    found.problems.push({ path: [...path, "trust_caller_identity_headers"], text });
  }
  const hasCallers = auth.enabled || (mtls?.enabled === true && mtls.policies.length > 0);
  if (enabled && !hasCallers) {
    const text = 'is enabled and holds nobody to anything: without "auth" everybody is an admin';
    found.warnings.push({ path, text });
  }
}
