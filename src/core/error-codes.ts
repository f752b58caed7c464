/**
 * Every code the gateway can answer with, in one table; the README section is generated from it.
 * `rpc` is the JSON-RPC error code, `http` the status where the door answers with one.
 * Own JSON-RPC codes keep to -32000..-32019, the range the 2026-07-28 revision leaves to legacy use; towards its clients
 * they move out of it.
 */
export type Fault = "client" | "gateway" | "upstream";

interface ErrorCode {
  readonly fault: Fault;
  readonly rpc: number;
  readonly http: number;
  /** Whether the same request may succeed later unchanged. */
  readonly retryable: boolean;
  readonly meaning: string;
}

export const errorCodes = {
  PARSE_ERROR: { fault: "client", rpc: -32700, http: 400, retryable: false, meaning: "The body is not valid JSON" },
  INVALID_REQUEST: {
    fault: "client",
    rpc: -32600,
    http: 400,
    retryable: false,
    meaning: "Not a JSON-RPC 2.0 message this endpoint accepts",
  },
  METHOD_NOT_FOUND: {
    fault: "client",
    rpc: -32601,
    http: 404,
    retryable: false,
    meaning: "The method is unknown or not offered",
  },
  INVALID_PARAMS: {
    fault: "client",
    rpc: -32602,
    http: 400,
    retryable: false,
    meaning: "The parameters do not fit the method",
  },
  HEADER_MISMATCH: {
    fault: "client",
    rpc: -32020,
    http: 400,
    retryable: false,
    meaning: "The headers of a 2026-07-28 request do not repeat its body",
  },
  MISSING_CAPABILITY: {
    fault: "client",
    rpc: -32021,
    http: 400,
    retryable: false,
    meaning: "The request needs something that its client cannot do",
  },
  UNSUPPORTED_VERSION: {
    fault: "client",
    rpc: -32022,
    http: 400,
    retryable: false,
    meaning: "The protocol revision is not spoken here",
  },
  BODY_TOO_LARGE: {
    fault: "client",
    rpc: -32600,
    http: 413,
    retryable: false,
    meaning: "The request is larger than server.max_body_size",
  },
  UNAUTHENTICATED: {
    fault: "client",
    rpc: -32000,
    http: 401,
    retryable: false,
    meaning: "No valid bearer token or API key",
  },
  TOO_MANY_ATTEMPTS: {
    fault: "client",
    rpc: -32000,
    http: 429,
    retryable: true,
    meaning: "Too many failed authentications, or the key's own rate limit",
  },
  CLIENT_CIRCUIT_OPEN: {
    fault: "client",
    rpc: -32003,
    http: 503,
    retryable: true,
    meaning: "The caller's requests kept failing by its own fault, and it is refused for a while",
  },
  FORBIDDEN: {
    fault: "client",
    rpc: -32003,
    http: 403,
    retryable: false,
    meaning: "The caller may not use this server or tool",
  },
  NOT_GRANTED: {
    fault: "client",
    rpc: -32004,
    http: 403,
    retryable: false,
    meaning: "No grant of security.identity_grants gives the caller this server or tool",
  },
  POLICY_DENIED: {
    fault: "client",
    rpc: -32600,
    http: 403,
    retryable: false,
    meaning: "The tool policy allows nobody to call this tool",
  },
  FIREWALL_BLOCKED: {
    fault: "client",
    rpc: -32600,
    http: 400,
    retryable: false,
    meaning:
      "The firewall found an attack in the arguments or in a result that a rule keeps back, or the call is too unusual",
  },
  CONTRACT_BROKEN: {
    fault: "upstream",
    rpc: -32603,
    http: 502,
    retryable: false,
    meaning: "A result breaks security.response_contract",
  },
  RESULT_WITHHELD: {
    fault: "upstream",
    rpc: -32603,
    http: 502,
    retryable: false,
    meaning: "A result speaks to the model as no data does, and security.context_integrity keeps it back",
  },
  TOOL_QUARANTINED: {
    fault: "gateway",
    rpc: -32600,
    http: 403,
    retryable: false,
    meaning: "The tool's definition changed or hides something, and no operator has approved it",
  },
  SESSION_NOT_FOUND: {
    fault: "client",
    rpc: -32001,
    http: 404,
    retryable: false,
    meaning: "The session is unknown or expired: initialize again",
  },
  SERVER_NOT_FOUND: { fault: "client", rpc: -32001, http: 404, retryable: false, meaning: "No backend of that name" },
  TOOL_NOT_FOUND: {
    fault: "client",
    rpc: -32602,
    http: 404,
    retryable: false,
    meaning: "The backend has no tool of that name",
  },
  RESOURCE_NOT_FOUND: {
    fault: "client",
    rpc: -32002,
    http: 404,
    retryable: false,
    meaning: "No backend offers that resource",
  },
  PROMPT_NOT_FOUND: {
    fault: "client",
    rpc: -32602,
    http: 404,
    retryable: false,
    meaning: "No backend offers that prompt",
  },
  SERVER_DISABLED: {
    fault: "gateway",
    rpc: -32000,
    http: 503,
    retryable: false,
    meaning: "The backend was switched off: in the configuration, by an operator, or because its calls fail",
  },
  TOOL_RESTING: {
    fault: "upstream",
    rpc: -32000,
    http: 503,
    retryable: true,
    meaning: "Most calls of this tool failed lately, and it is left alone for a while",
  },
  LOGIN_REQUIRED: {
    fault: "client",
    rpc: -32000,
    http: 401,
    retryable: true,
    meaning: "The backend wants a user to log in; the error has the address",
  },
  SESSION_LIMIT: {
    fault: "client",
    rpc: -32003,
    http: 429,
    retryable: false,
    meaning: "The session has used up what security.session_sandbox gives it",
  },
  AUDIT_UNAVAILABLE: {
    fault: "gateway",
    rpc: -32000,
    http: 503,
    retryable: true,
    meaning: "The record of calls cannot be written, and no call may go without",
  },
  IDEMPOTENCY_CONFLICT: {
    fault: "client",
    rpc: -32000,
    http: 409,
    retryable: false,
    meaning:
      "The idempotency key is that of another call, of one that still runs, or of one nobody knows the outcome of",
  },
  NONCE_REFUSED: {
    fault: "client",
    rpc: -32001,
    http: 409,
    retryable: false,
    meaning: "The call has no nonce although security.message_signing asks for one, or one that was used before",
  },
  BUDGET_EXCEEDED: {
    fault: "gateway",
    rpc: -32003,
    http: 429,
    retryable: true,
    meaning: "The call would cost more than is left of a budget of the day",
  },
  RATE_LIMITED: {
    fault: "gateway",
    rpc: -32000,
    http: 429,
    retryable: true,
    meaning: "The backend's rate limit is used up",
  },
  OVERLOADED: {
    fault: "gateway",
    rpc: -32000,
    http: 503,
    retryable: true,
    meaning: "The queue for the backend is full",
  },
  CIRCUIT_OPEN: {
    fault: "upstream",
    rpc: -32000,
    http: 503,
    retryable: true,
    meaning: "The backend failed repeatedly and is given time to recover",
  },
  TIMEOUT: {
    fault: "upstream",
    rpc: -32000,
    http: 504,
    retryable: true,
    meaning: "The backend did not answer within its timeout",
  },
  UPSTREAM_START_FAILED: {
    fault: "upstream",
    rpc: -32000,
    http: 502,
    retryable: true,
    meaning: "The backend could not be started or reached",
  },
  UPSTREAM_CLOSED: {
    fault: "upstream",
    rpc: -32000,
    http: 502,
    retryable: true,
    meaning: "The backend exited or hung up before it answered",
  },
  UPSTREAM_PROTOCOL: {
    fault: "upstream",
    rpc: -32000,
    http: 502,
    retryable: false,
    meaning: "The backend's answer is not valid MCP",
  },
  UPSTREAM_ERROR: {
    fault: "upstream",
    rpc: -32603,
    http: 502,
    retryable: false,
    meaning: "The backend answered with an error",
  },
  RESULT_TOO_LARGE: {
    fault: "upstream",
    rpc: -32000,
    http: 502,
    retryable: false,
    meaning: "The answer is larger than the limit",
  },
  CANCELLED: { fault: "client", rpc: -32000, http: 499, retryable: true, meaning: "The caller cancelled the request" },
  SHUTTING_DOWN: { fault: "gateway", rpc: -32000, http: 503, retryable: true, meaning: "The gateway is stopping" },
  CONFIG_INVALID: {
    fault: "client",
    rpc: -32603,
    http: 422,
    retryable: false,
    meaning: "The configuration cannot be used",
  },
  INTERNAL: {
    fault: "gateway",
    rpc: -32603,
    http: 500,
    retryable: true,
    meaning: "A defect of the gateway; the id is in its log",
  },
} as const satisfies Record<string, ErrorCode>;

export type GatewayErrorCode = keyof typeof errorCodes;
