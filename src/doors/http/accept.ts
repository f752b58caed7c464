/** What a client can take as an answer. Lenient: no `Accept`, and wildcards, mean everything. */
export interface Accepted {
  readonly json: boolean;
  /** `text/event-stream` */
  readonly events: boolean;
}

const everything: Accepted = { json: true, events: true };
const usual = "application/json, text/event-stream";

export function acceptedBy(header: string | null): Accepted {
  if (header === null || header === usual) return everything;
  const types = header.split(",").map((range) => range.split(";", 1)[0]?.trim().toLowerCase());
  const any = types.includes("*/*");
  return {
    json: any || types.includes("application/json") || types.includes("application/*"),
    events: any || types.includes("text/event-stream") || types.includes("text/*"),
  };
}
