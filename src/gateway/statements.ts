/** What the gateway says of results and signs, where the configuration wants it; nothing of it is loaded otherwise. */
import type { Catalog } from "../catalog/catalog.ts";
import type { Config } from "../config/schema.ts";
import type { UpstreamKind } from "../core/upstream.ts";
import type { Clock } from "../lib/clock.ts";
import type { Environment } from "../runtime/process.ts";
import type { StageOptions } from "../stages/order.ts";
import type { Signer } from "../stages/signature/signature-stage.ts";
import type { Sharing } from "./sharing.ts";

/** For the stages in front of one backend. */
export type Statements = (
  config: Config,
  transport: UpstreamKind,
  env: Environment,
) => Promise<Pick<StageOptions, "signer" | "receipt">>;

export interface StatementsOptions {
  readonly clock: Clock;
  readonly sharing: Sharing;
  readonly catalog: Catalog;
}

export function createStatements({ clock, sharing, catalog }: StatementsOptions): Statements {
  // One for all configurations: it remembers nonces.
  let signer: Signer | undefined;
  return async ({ security: { message_signing, provenance_stamping } }, transport, env) => {
    if (!message_signing.enabled && !provenance_stamping) return {};
    const { createSigner, receiptOf } = await import("./result-statements.ts");
    signer ??= createSigner(clock, sharing);
    return { signer, receipt: provenance_stamping ? receiptOf(catalog, transport, env) : undefined };
  };
}
