import * as v from "valibot";
import { maybe, setting } from "../../core/kinds.ts";

const accessSchema = v.object({
  backends: setting(v.array(v.string()), [], "Names of backends, as globs"),
  tools: setting(v.array(v.string()), [], "Names of tools, as globs"),
});

const policySchema = v.object({
  match: setting(
    v.object({
      cn: maybe(v.string(), "Common name of the certificate, as a glob"),
      ou: maybe(v.string(), "Organizational unit, as a glob"),
      san_uri: maybe(v.string(), "Alternative name of kind URI, as a glob"),
      san_dns: maybe(v.string(), "Alternative name of kind DNS, as a glob"),
      any: setting(v.boolean(), false, "Match every certificate"),
    }),
    {},
    "Certificates the policy is for",
  ),
  allow: maybe(
    accessSchema,
    "What they may use, as globs: all tools of these `backends`, these `tools` of all, or both; nothing by default",
  ),
  deny: maybe(accessSchema, "What they may not use, `backends` and `tools`, whatever is allowed"),
});

export const mtlsSchema = v.object({
  enabled: setting(v.boolean(), false, "Serve TLS (1.3), and nothing without it"),
  server_cert: setting(v.string(), "", "Certificate of the gateway, a PEM file"),
  server_key: setting(v.string(), "", "Private key of the gateway, a PEM file"),
  ca_cert: setting(
    v.string(),
    "",
    "Authority that signs client certificates, a PEM file; without it none is asked for",
  ),
  require_client_cert: setting(v.boolean(), true, "Refuse clients without a certificate"),
  crl_path: maybe(v.string(), "List of revoked certificates, a PEM file"),
  policies: setting(
    v.array(policySchema),
    [],
    "Who may use what without a token; the first policy that matches decides, none refuses. Without policies, certificates only open the connection",
  ),
});
export type MtlsSettings = v.InferOutput<typeof mtlsSchema>;
