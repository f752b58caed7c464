import * as v from "valibot";
import { positiveInteger, setting } from "../../core/kinds.ts";

export const siemExportSchema = v.object({
  enabled: setting(v.boolean(), false, "Write what happens to security as lines of JSON in ECS fields"),
  sink_path: setting(v.string(), "~/.mcp-gateway/export/siem.ndjson", "File the events go to; one gateway writes it"),
  poll_interval_secs: setting(positiveInteger, 15, "Seconds between two writes"),
  max_batch: setting(positiveInteger, 500, "Events written at once"),
  max_file_size: setting(
    positiveInteger,
    104_857_600,
    "Bytes after which the file is put aside as `siem.ndjson.1` and a new one is begun; the last five are kept",
  ),
});
export type SiemExportSettings = v.InferOutput<typeof siemExportSchema>;
