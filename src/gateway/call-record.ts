/** From calls to the entries of the record of calls: what happened, with digests in place of contents. */
import type { Catalog } from "../catalog/catalog.ts";
import type { Answer } from "../core/answer.ts";
import type { Call } from "../core/call.ts";
import type { CallRecord } from "../core/call-record.ts";
import type { Logger } from "../core/log.ts";
import type { Clock } from "../lib/clock.ts";
import { stableJson } from "../lib/json.ts";
import { type CallFacts, sessionDigest } from "../observe/transparency/chain.ts";
import type { TransparencyLogSettings } from "../observe/transparency/schema.ts";
import { createTransparencyLog, type TransparencyLog } from "../observe/transparency/transparency-log.ts";
import { sha256Hex } from "../runtime/digest.ts";
import { createLineFile } from "../runtime/line-file.ts";
import { definitionDigest } from "./definition-digest.ts";

export interface CallRecorder {
  note(record: CallRecord, call: Call, answer: Answer | undefined): void;
  flush(): Promise<void>;
  readonly isFailing: boolean;
}

export interface CallRecorderOptions {
  readonly settings: () => TransparencyLogSettings;
  readonly catalog: Catalog;
  readonly log: Logger;
  readonly clock: Pick<Clock, "after">;
  onProblem(error: unknown): void;
}

export function createCallRecorder({ settings, catalog, log, clock, onProblem }: CallRecorderOptions): CallRecorder {
  let current: { readonly settings: TransparencyLogSettings; readonly record: TransparencyLog } | undefined;

  /** A reload may name another file or key. */
  function recordNow(): TransparencyLog {
    const now = settings();
    if (current !== undefined && stableJson(current.settings) === stableJson(now)) return current.record;
    const { path, key_id: keyId, shared_secret: secret } = now;
    const onDropped = () => log.error("An entry of the record of calls was dropped: too many wait for the disk");
    const file = createLineFile({ path, clock, sync: false, onProblem, onDropped });
    current = { settings: now, record: createTransparencyLog({ path, keyId, secret, file, log }) };
    return current.record;
  }

  return {
    note({ requestId, caller, agent, upstream, method, tool, outcome, durationMs }, call, answer) {
      const facts: CallFacts = {
        timestamp: new Date().toISOString(),
        request_id: requestId,
        session: call.sessionId === undefined ? null : sessionDigest(call.sessionId),
        principal: call.caller.principal,
        caller,
        ...(agent !== undefined && { agent }),
        server: upstream,
        method,
        tool: tool ?? null,
        outcome,
        request_sha256: sha256Hex(stableJson(call.params ?? null)),
        response_sha256: answer === undefined ? null : sha256Hex(answer.text),
        definition_sha256: (tool === undefined ? undefined : definitionDigest(catalog, upstream, tool)) ?? null,
        duration_ms: Math.round(durationMs * 10) / 10,
      };
      recordNow().note(facts);
    },
    async flush() {
      await current?.record.flush();
    },
    get isFailing() {
      return current?.record.isFailing === true;
    },
  };
}
