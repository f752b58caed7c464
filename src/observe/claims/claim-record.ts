/** What models said their calls were for, beside how the calls ended: one line each. */
import type { Call } from "../../core/call.ts";
import { type CallRecord, shownToolName } from "../../core/call-record.ts";
import { isJson, type Json, stableJson } from "../../lib/json.ts";
import { sha256Hex } from "../../runtime/digest.ts";
import { createLineFile, type LineFile, type LineFileOptions } from "../../runtime/line-file.ts";

export interface ClaimRecord {
  /** @param at calendar time */
  note(record: CallRecord, call: Call, at: Date): void;
  flush(): Promise<void>;
}

export interface ClaimRecordOptions extends Pick<LineFileOptions, "clock" | "onProblem"> {
  /** The file in force now. */
  readonly path: () => string;
  redact(text: string): string;
}

const maxFileBytes = 16 * 1_048_576;
/** Of a longer claim the beginning is written, as a text. */
const maxClaimCharacters = 4_096;

export function createClaimRecord({ clock, onProblem, path, redact }: ClaimRecordOptions): ClaimRecord {
  let current: { readonly path: string; readonly file: LineFile } | undefined;
  /** Resolves when the files before it have what they were given. */
  let earlier: Promise<unknown> = Promise.resolve();

  /** A reload may name another. */
  function fileNow(): LineFile {
    const now = path();
    if (current?.path !== now) {
      earlier = Promise.all([earlier, current?.file.flush()]);
      current = {
        path: now,
        file: createLineFile({ path: now, clock, sync: false, maxBytes: maxFileBytes, onProblem }),
      };
    }
    return current.file;
  }

  return {
    note({ requestId, caller, agent, upstream, tool, outcome, isError }, call, at) {
      const line = {
        timestamp: at.toISOString(),
        request_id: requestId,
        caller,
        ...(agent !== undefined && { agent }),
        server: upstream,
        tool: shownToolName(tool) ?? null,
        arguments_sha256: sha256Hex(stableJson(call.params?.["arguments"] ?? {})),
        outcome,
        is_error: isError,
        ...claimOf(call.claim ?? null, redact),
      };
      fileNow().append(JSON.stringify(line));
    },
    async flush() {
      await Promise.all([earlier, current?.file.flush()]);
    },
  };
}

function claimOf(claim: Json, redact: (text: string) => string): { readonly claim: Json; readonly cut?: true } {
  const text = redact(typeof claim === "string" ? claim : JSON.stringify(claim));
  if (text.length > maxClaimCharacters) return { claim: text.slice(0, maxClaimCharacters), cut: true };
  return { claim: typeof claim !== "string" && isJson(text) ? JSON.parse(text) : text };
}
