import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Answer } from "../../src/core/answer.ts";
import type { Call } from "../../src/core/call.ts";
import type { GatewayError } from "../../src/core/errors.ts";
import { responseContractStage } from "../../src/stages/response-contract/response-contract-stage.ts";
import { makeCall, on, security } from "./fixture.ts";

async function held(contract: object, value: object, changes: Partial<Call> = {}): Promise<string> {
  const settings = security({ response_contract: { enabled: true, ...contract } }).response_contract;
  const answer = Answer.ofText(JSON.stringify(value));
  try {
    const result = await on(responseContractStage(settings))(makeCall(changes), async () => answer);
    if (result === answer) return "kept";
    const note = (result.value["_meta"] as { "mcp-gateway/contract": { violation: string } })["mcp-gateway/contract"];
    return `told: ${note.violation}`;
  } catch (error) {
    return `${(error as GatewayError).code}: ${(error as GatewayError).message}`;
  }
}

const text = (content: string) => ({ content: [{ type: "text", text: content }], _meta: { vendor: 1 } });

describe("responseContractStage", () => {
  test("tells of what breaks a limit, or refuses it, as the tool or all have it", async () => {
    const tools = { "files:re*": { max_bytes: 100 }, other: { max_bytes: 1, action_mode: true } };
    assert.equal(await held({ tools }, text("x")), "kept");
    assert.equal(await held({ tools }, text("x".repeat(100))), "told: it has more than 100 bytes");
    assert.match(await held({ tools, action_mode: true }, text("x".repeat(100))), /^CONTRACT_BROKEN: .*more than 100/);
    assert.match(await held({ tools }, {}, { params: { name: "other" } }), /^CONTRACT_BROKEN/);
    assert.equal(await held({ default_max_bytes: 5 }, {}, { params: { name: "unnamed" } }), "kept");
    assert.equal(
      await held({ default_max_bytes: 1 }, {}, { params: { name: "unnamed" } }),
      "told: it has more than 1 bytes",
    );
  });

  test("counts bytes, not characters", async () => {
    const size = Buffer.byteLength(JSON.stringify(text("é€😀")));
    assert.equal(await held({ default_max_bytes: size }, text("é€😀")), "kept");
    assert.match(await held({ default_max_bytes: size - 1 }, text("é€😀")), /^told/);
  });

  test("looks for patterns in every text, escaped or not, and in nothing else", async () => {
    const tools = { read: { forbidden_patterns: ["never", "(?i)top\\s+secret"] } };
    assert.equal(await held({ tools }, text("Top\nSECRET")), "told: it holds what forbidden_patterns[1] forbids");
    assert.match(await held({ tools }, { structuredContent: { deep: [{ note: "top secret" }] } }), /^told/);
    assert.equal(await held({ tools }, { structuredContent: { never: 1 } }), "kept");
  });

  test("a tool without a limit is refused where nothing may be unlimited", async () => {
    const contract = { fail_closed: true, action_mode: true, tools: { other: {} } };
    assert.match(await held(contract, {}), /no limit is set for it/);
    assert.equal(await held({ ...contract, default_max_bytes: 100 }, {}), "kept");
    assert.equal(await held(contract, {}, { params: { name: "other" } }), "kept");
    assert.equal(await held(contract, {}, { method: "resources/read", params: { uri: "a:b" } }), "kept");
  });
});
