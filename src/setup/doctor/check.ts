/** One thing the doctor looked at, and how it can be put right. */

export type CheckStatus = "pass" | "warn" | "fail";

export interface Check {
  /** Stable, for scripts: `backend_stdio.files`. */
  readonly id: string;
  readonly label: string;
  readonly category:
    | "config"
    | "port"
    | "runtime"
    | "mcp_handshake"
    | "tool_list"
    | "auth"
    | "tunnel"
    | "environment"
    | "backend_http"
    | "backend_stdio"
    | "data"
    | "client_config"
    | "shadow_radar";
  readonly status: CheckStatus;
  readonly detail: string;
  /** What to do about it. */
  readonly hint?: string;
  /** A command that does it, for the user to run. */
  readonly command?: string;
  readonly fix?: Fix;
}

/** Something that can be put right without asking: it destroys nothing that could be missed. */
export interface Fix {
  /** What is done, as in "Closed the file to others". */
  readonly done: string;
  /** How it can be undone, where it can. */
  readonly rollback?: string;
  apply(): Promise<void>;
}
