import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientLink, RpcRequest } from "../../src/core/call.ts";
import { CancelledError, ClientRpcError, UpstreamError } from "../../src/core/errors.ts";
import type { CancelSignal } from "../../src/lib/cancellation.ts";
import { isJsonObject, type JsonObject } from "../../src/lib/json.ts";
import { createPeer, type PeerOptions } from "../../src/mcp/peer.ts";

const never = new AbortController().signal;

function connect(more: Partial<PeerOptions> = {}) {
  const sent: JsonObject[] = [];
  const notices: string[] = [];
  const peer = createPeer({
    serverName: "fake",
    send: (text) => void sent.push(JSON.parse(text)),
    onNotification: (method) => void notices.push(method),
    onRefused() {},
    ...more,
  });
  const ask = (method = "tools/call", request: Partial<RpcRequest> = {}) =>
    peer.request({ method, params: undefined, signal: never, ...request });
  const receive = (message: JsonObject) => peer.receive(JSON.stringify({ jsonrpc: "2.0", ...message }));
  return { peer, sent, notices, ask, receive };
}

test("F6 request takes the first answer with its id and counts the rest as dropped", async () => {
  const { peer, ask, receive } = connect();
  const [first, second] = [ask(), ask()];
  receive({ id: "1", result: { wrong: "type" } });
  receive({ id: 99, result: { wrong: "unknown" } });
  receive({ id: 1, result: { right: true } });
  receive({ id: 1, result: { wrong: "duplicate" } });
  receive({ id: null, result: {} });
  receive({ id: 2, result: { right: 2 } });
  assert.deepEqual((await first).value, { right: true });
  assert.deepEqual((await second).value, { right: 2 });
  assert.equal(peer.dropped, 4);
  assert.equal(peer.inFlight, 0);
});

test("request rejects with the reason of its signal, tells the server, and swallows the late answer", async () => {
  const { peer, sent, ask, receive } = connect();
  const timeout = new UpstreamError("TIMEOUT", "No answer within 30 s");
  for (const [reason, message] of [
    [timeout, "No answer within 30 s"],
    [undefined, "The request was cancelled"],
  ] as const) {
    const abort = new AbortController();
    const running = ask("tools/call", { signal: abort.signal });
    abort.abort(reason);
    await assert.rejects(running, reason ?? CancelledError);
    const cancelled = sent.at(-1);
    assert.equal(cancelled?.["method"], "notifications/cancelled");
    assert.deepEqual(cancelled?.["params"], { requestId: sent.at(-2)?.["id"], reason: message });
    receive({ id: sent.at(-2)?.["id"], result: {} });
  }
  assert.equal(peer.dropped, 2);
});

test("initialize is never cancelled at the server, and an aborted signal sends nothing", async () => {
  const { sent, ask } = connect();
  const abort = new AbortController();
  const running = ask("initialize", { signal: abort.signal });
  abort.abort();
  await assert.rejects(running, CancelledError);
  await assert.rejects(ask("tools/call", { signal: abort.signal }), CancelledError);
  assert.deepEqual(
    sent.map(({ method }) => method),
    ["initialize"],
  );
});

test("a settled request no longer listens to its signal", async () => {
  const { sent, ask, receive } = connect();
  const abort = new AbortController();
  const running = ask("tools/call", { signal: abort.signal });
  receive({ id: 1, result: {} });
  await running;
  abort.abort();
  assert.equal(sent.length, 1);
});

test("fail rejects what waits and what comes later, with the first error", async () => {
  const { peer, sent, ask } = connect();
  const running = ask();
  const error = new UpstreamError("UPSTREAM_CLOSED", "It died");
  peer.fail(error);
  peer.fail(new UpstreamError("UPSTREAM_CLOSED", "It died again"));
  await assert.rejects(running, error);
  await assert.rejects(ask(), error);
  peer.notify("notifications/x", {});
  assert.equal(sent.length, 1);
});

test("a progress token is ours, only there when wanted, and other _meta survives", async () => {
  const { sent, ask, receive, peer } = connect();
  const seen: JsonObject[] = [];
  const params = { name: "x", _meta: { "vendor/key": 1 } };
  void ask("tools/call", { params });
  const running = ask("tools/call", { params, onProgress: (progress) => void seen.push(progress) });
  assert.deepEqual(sent[0]?.["params"], params);
  assert.deepEqual(sent[1]?.["params"], { name: "x", _meta: { "vendor/key": 1, progressToken: 2 } });
  const progress = (progressToken: unknown) =>
    receive({
      method: "notifications/progress",
      params: { progressToken: progressToken as number, progress: 1, new: {} },
    });
  for (const token of [2, "2", 1, 3]) progress(token);
  assert.deepEqual(seen, [{ progress: 1, new: {} }]);
  receive({ id: 2, result: {} });
  await running;
  progress(2);
  assert.equal(seen.length, 1);
  assert.equal(peer.dropped, 4);
});

test("a log message goes to a request only when there is no doubt whose it is", async () => {
  const { notices, ask, receive } = connect();
  const own: string[] = [];
  const onNotification = (method: string) => void own.push(method);
  const log = { method: "notifications/message", params: { level: "info" } };
  receive(log);
  const first = ask("tools/call", { onNotification });
  receive(log);
  void ask("tools/call", { onNotification });
  receive(log);
  receive({ id: 1, result: {} });
  await first;
  assert.equal(own.length, 1);
  assert.equal(notices.length, 2);
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A client that answers what it is asked, later; it remembers what it was asked. */
function fakeClient(sessionId: string) {
  const asked: { method: string; params: JsonObject; signal: CancelSignal; answer: (result: JsonObject) => void }[] =
    [];
  const client: ClientLink = {
    sessionId,
    capabilities: {},
    ask: (method, params, signal) =>
      new Promise((answer, reject) => {
        asked.push({ method, params, signal, answer });
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  return { asked, client };
}

test("a request of the server goes to the client it works for, and its answer back", async () => {
  const { sent, ask, receive } = connect();
  const { asked, client } = fakeClient("a");
  void ask("tools/call", { client });
  receive({ id: "s", method: "roots/list", params: { a: 1 } });
  assert.deepEqual([asked[0]?.method, asked[0]?.params], ["roots/list", { a: 1 }]);
  asked[0]?.answer({ roots: [] });
  await turn();
  assert.deepEqual(sent.slice(1), [{ jsonrpc: "2.0", id: "s", result: { roots: [] } }]);
});

test("a request of the server is refused when no client is certain to be meant", async () => {
  const refused: string[] = [];
  const { sent, ask, receive } = connect({ onRefused: (method) => void refused.push(method) });
  const [first, second] = [fakeClient("a"), fakeClient("b")];
  receive({ id: 1, method: "roots/list" });
  void ask("tools/call", { client: first.client });
  void ask("tools/call");
  void ask("tools/call", { client: second.client });
  receive({ id: 2, method: "elicitation/create" });
  receive({ id: 3, method: "ping" });
  await turn();
  assert.deepEqual([first.asked, second.asked], [[], []]);
  const answers = sent.filter((message) => message["method"] === undefined);
  assert.deepEqual(answers.map(({ id, error }) => [id, isJsonObject(error) ? error["code"] : undefined]).sort(), [
    [1, -32601],
    [2, -32601],
    [3, undefined],
  ]);
  assert.deepEqual(refused.sort(), ["elicitation/create", "roots/list"]);
});

test("a question outlives the wrong one of its client's calls, and is never asked of another client", async () => {
  const { peer, sent, ask, receive } = connect();
  const over = new CancelledError("The request is over");
  const [wrong, right, other] = [fakeClient("a"), fakeClient("a"), fakeClient("b")];
  const link = (client: ClientLink, end: Promise<never>): ClientLink => ({
    ...client,
    ask: (...question) => Promise.race([client.ask(...question), end]),
  });
  let endOfCall = (_reason: Error): void => {};
  const end = new Promise<never>((_, reject) => {
    endOfCall = reject;
  });
  void ask("tools/call", { client: right.client });
  const ending = ask("tools/call", { client: link(wrong.client, end) });
  receive({ id: "s", method: "elicitation/create" });
  void ask("tools/call", { client: other.client });
  assert.deepEqual([wrong.asked.length, right.asked.length], [1, 0]);
  receive({ id: sent[1]?.["id"] as string, result: {} });
  endOfCall(over);
  await ending;
  await turn();
  assert.deepEqual([wrong.asked.length, right.asked.length, other.asked.length], [1, 1, 0]);
  right.asked[0]?.answer({ action: "decline" });
  await turn();
  assert.deepEqual(sent.at(-1), { jsonrpc: "2.0", id: "s", result: { action: "decline" } });
  assert.equal(peer.inFlight, 2);
});

test("a client's error reaches the server as it is, a question given up is not answered", async () => {
  const { peer, sent, ask, receive } = connect();
  const error = { code: -1, message: "User rejected it", data: { by: "user" } };
  const client = { sessionId: "a", capabilities: {}, ask: () => Promise.reject(new ClientRpcError(error)) };
  void ask("tools/call", { client });
  receive({ id: "s", method: "sampling/createMessage" });
  await turn();
  assert.deepEqual(sent.at(-1), { jsonrpc: "2.0", id: "s", error });
  const patient = fakeClient("a");
  const working = connect();
  void working.ask("tools/call", { client: patient.client }).catch(() => {});
  working.receive({ id: 7, method: "elicitation/create" });
  working.receive({ id: 8, method: "elicitation/create" });
  working.receive({ method: "notifications/cancelled", params: { requestId: 7, reason: "Too late" } });
  assert.match(String(patient.asked[0]?.signal.reason), /Too late/);
  assert.equal(patient.asked[1]?.signal.aborted, false);
  working.peer.fail(new UpstreamError("UPSTREAM_CLOSED", "gone"));
  assert.equal(patient.asked[1]?.signal.aborted, true);
  await turn();
  assert.equal(working.sent.length, 1);
  assert.equal(peer.inFlight, 1);
});

test("receive tells what is no JSON, and a broken envelope fails the request it names", async () => {
  const { peer, ask, receive } = connect();
  assert.equal(peer.receive("Server is up"), false);
  assert.equal(peer.dropped, 0);
  const running = ask();
  assert.equal(receive({ id: 1, result: "text", error: 5 }), true);
  await assert.rejects(running, { code: "UPSTREAM_PROTOCOL" });
  for (const odd of ["[]", "null", "5", '{"jsonrpc":"1.0","id":1,"result":{}}']) assert.equal(peer.receive(odd), true);
});
