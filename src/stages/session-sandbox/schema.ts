import * as v from "valibot";
import { duration, globs, maybe, positiveInteger, setting } from "../../core/kinds.ts";

export const sessionSandboxSchema = v.object({
  enabled: setting(v.boolean(), false, "Hold every client session to limits"),
  max_calls: maybe(positiveInteger, "Calls a session may make"),
  max_duration: maybe(duration, "Time since its first call after which a session may make no more"),
  allowed_backends: maybe(globs, "Backends a session may use, as globs; all by default"),
  denied_tools: setting(globs, [], "Tools no session may call, as globs on `tool` or `server:tool`"),
  max_payload_bytes: maybe(positiveInteger, "Largest parameters of one call, as JSON"),
});
export type SessionSandboxSettings = v.InferOutput<typeof sessionSandboxSchema>;
