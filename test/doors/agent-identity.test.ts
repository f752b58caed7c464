/** Which agent a request says it is of: what is taken down, what is asked for, and what it does not prove. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SignJWT } from "jose";
import type { Caller } from "../../src/core/caller.ts";
import { fakeConfig, fakeGateway } from "./fake-gateway.ts";
import { bothTypes, errorOf, initializeMessage, request, testApp } from "./http-client.ts";

const secret = "a secret of at least thirty-two bytes";

function setUp(agent_identity: Record<string, unknown>, more: object = {}) {
  const gateway = fakeGateway({ agent_identity, ...more });
  const seen: Caller[] = [];
  const { initialize, handle } = gateway.face;
  gateway.face.initialize = (params, context) => {
    seen.push(context.caller);
    return initialize(params, context);
  };
  gateway.face.handle = (message, context) => {
    seen.push(context.caller);
    return handle(message, context);
  };
  const app = testApp(gateway);
  const open = async (headers: Record<string, string> = {}, query = "") => {
    const response = await app.post(`/mcp${query}`, initializeMessage(), headers);
    return response.status === 200 ? seen.at(-1)?.agent : `${response.status} ${(await errorOf(response)).message}`;
  };
  return { gateway, seen, open, ...app };
}

test("agent identity: the header is a label, the address in its place, and neither counts where it is off", async () => {
  const { open, seen } = setUp({ enabled: true });
  assert.equal(await open({ "x-agent-id": "builder" }), "builder");
  assert.equal(
    await open({}, "?agent_id=from%20nowhere"),
    "403 The agent's id is not 1 to 128 visible ASCII characters",
  );
  assert.equal(await open({}, "?profile=x&agent_id=robot"), "robot");
  assert.equal(await open({ "x-agent-id": "builder" }, "?agent_id=robot"), "builder");
  assert.equal(await open(), undefined);
  assert.deepEqual([...new Set(seen.map(({ principal }) => principal))], ["anonymous"]);
  const first = seen[0];
  await open({ "x-agent-id": "builder" });
  assert.equal(seen.at(-1), first, "equal callers are one: what is remembered of them is found again");
  for (const id of ["x".repeat(129), "two words", "bell\u0007".replace("\u0007", "é")])
    assert.match(String(await open({ "x-agent-id": id })), /^403/);
  assert.equal(await setUp({ enabled: false, require_id: true }).open({ "x-agent-id": "builder" }), undefined);
});

test("agent identity: where one is required or known ones are listed, others are refused, live", async () => {
  const { open, gateway, ask } = setUp({ enabled: true, require_id: true });
  assert.match(String(await open()), /^403 The request does not say which agent/);
  assert.equal(await open({ "x-agent-id": "anyone" }), "anyone");
  for (const path of ["/health", "/ui/", "/api/v1/status"])
    assert.notEqual((await ask(path)).status, 403, "that is about MCP");
  gateway.config = fakeConfig({ agent_identity: { enabled: true, known_agents: ["builder"] } });
  assert.equal(await open({ "x-agent-id": "builder" }), "builder");
  assert.match(String(await open({ "x-agent-id": "Builder" })), /^403 Agent "Builder" is not known/);
  assert.equal(await open(), undefined);
});

test("agent identity: an agent with a token of its own is who that says, whatever the header says", async () => {
  const agents = [{ client_id: "builder", hs256_secret: secret, scopes: ["tools:*"] }];
  const sections = { auth: { enabled: true }, agent_auth: { enabled: true, agents } };
  const token = await new SignJWT({ sub: "builder" })
    .setProtectedHeader({ alg: "HS256" })
    .setExpirationTime("1m")
    .sign(new TextEncoder().encode(secret));
  const headers = { authorization: `Bearer ${token}`, "x-agent-id": "somebody" };
  const known = { enabled: true, require_id: true, known_agents: ["builder"] };
  assert.equal(await setUp(known, sections).open(headers), "builder");
  const others = { enabled: true, known_agents: ["somebody"] };
  assert.match(String(await setUp(others, sections).open(headers)), /^403 Agent "builder" is not known/);
  assert.equal(await setUp({}, sections).open(headers), "builder", "what is proven is taken down in any case");
});

test("agent identity: messages to a stream are of the agent that opened it", async () => {
  const { ask, post, seen } = setUp({ enabled: true, require_id: true });
  const stream = await ask("/sse?agent_id=robot", { headers: { accept: bothTypes } });
  const reader = stream.body!.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes("sessionId=")) text += decoder.decode((await reader.read()).value);
  const address = /data: (\S+)/.exec(text)?.[1] as string;
  await post(address, initializeMessage());
  await post(address, request(1, "ping"), { "x-agent-id": "somebody" });
  assert.deepEqual(
    seen.map(({ agent }) => agent),
    ["robot", "robot"],
  );
  await reader.cancel();
});
