/** Talks to the gateway. The token lives in this tab's session storage and is sent to this origin only. */
const tokenKey = "mcp-gateway-token";

export class ApiError extends Error {
  constructor(status, message, hint) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

export function hasToken() {
  return sessionStorage.getItem(tokenKey) !== null;
}

export function setToken(token) {
  if (token === undefined) sessionStorage.removeItem(tokenKey);
  else sessionStorage.setItem(tokenKey, token);
}

function headers(more) {
  const token = sessionStorage.getItem(tokenKey);
  return token === null ? more : { ...more, authorization: `Bearer ${token}` };
}

async function failure(response) {
  const body = await response.json().catch(() => undefined);
  const error = body?.error;
  return new ApiError(
    response.status,
    error?.message ?? body?.reason ?? `The gateway answered ${response.status}`,
    error?.data?.hint,
  );
}

/** @param method with a body for everything but GET; throws ApiError, or TypeError when the gateway cannot be reached */
export async function ask(path, { method = "GET", body, signal } = {}) {
  const response = await fetch(path, {
    method,
    headers: headers(method === "GET" ? {} : { "content-type": "application/json" }),
    body: method === "GET" ? undefined : JSON.stringify(body ?? {}),
    signal: signal ?? AbortSignal.timeout(60_000),
    redirect: "error",
    credentials: "omit",
  });
  if (!response.ok) throw await failure(response);
  return response.status === 204 ? undefined : response.json();
}

/** Reads server-sent events until the stream ends; `EventSource` could not send the token. */
export async function follow(path, onData, signal) {
  const response = await fetch(path, { headers: headers({}), signal, redirect: "error", credentials: "omit" });
  if (!response.ok) throw await failure(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const data = event
        .split("\n")
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice(5).trimStart())
        .join("\n");
      if (data !== "") onData(JSON.parse(data));
    }
  }
}
