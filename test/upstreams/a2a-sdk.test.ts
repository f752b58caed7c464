/** A2A agents of the official SDK, in the version it was made for and in the one before. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "../../src/core/log.ts";
import { Cancellation, neverCancelled } from "../../src/lib/cancellation.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { a2aConnect } from "../../src/upstreams/a2a/connect-a2a.ts";
import { sdkAgent } from "../fixtures/agent-sdk.ts";
import { until } from "../fixtures/processes.ts";

// biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came
type Loose = any;

for (const version of ["1.0", "0.3"])
  for (const streaming of [true, false])
    test(`SDK, ${version}, ${streaming ? "streaming" : "not streaming"}: talk, ask back, files, cancel`, async () => {
      const agent = await sdkAgent({ version, streaming });
      const connection = await a2aConnect({
        ...{ name: "echo", url: agent.url, cardPath: undefined, headers: {}, maxResultBytes: 100_000 },
        ...{ clock: systemClock, log: silentLogger, redact: (text: string) => text },
      })(neverCancelled, { onNotification() {} });
      const call = async (message: string, args: JsonObject = {}, more: object = {}): Promise<Loose> => {
        const params = { name: "echo", arguments: { message, ...args } };
        const request = { method: "tools/call", params, signal: neverCancelled, ...more };
        return JSON.parse((await connection.request(request)).text);
      };
      try {
        assert.equal(connection.description.protocolVersion, `A2A ${version}`);
        assert.equal((await call("hello")).content[0].text, "Hello");
        const asked = await call("ask");
        const { taskId, contextId, state } = asked._meta["mcp-gateway/a2a"];
        assert.equal(state, "input-required");
        assert.equal(asked.content[0].text, "What?");
        const done = await call("this", { task_id: taskId, context_id: contextId });
        assert.deepEqual(done.content.slice(0, 3), [
          { type: "text", text: "You said this", _meta: done.content[0]._meta },
          { type: "text", text: '{\n  "said": "this"\n}', _meta: done.content[0]._meta },
          { type: "image", data: btoa("GIF"), mimeType: "image/gif", _meta: done.content[0]._meta },
        ]);
        assert.deepEqual(done.structuredContent, { said: "this" });
        assert.deepEqual(done._meta["mcp-gateway/a2a"], { taskId, contextId, state: "completed" });
        const over = await call("more", { task_id: taskId });
        assert.equal(over.isError, true);
        assert.match(over.content[0].text, /leave out "task_id" to begin a new one/);
        const signal = new Cancellation();
        const news: JsonObject[] = [];
        const waiting = call("wait", {}, { signal, onProgress: (params: JsonObject) => void news.push(params) });
        await until(() => news.length > 0);
        signal.abort();
        await assert.rejects(waiting, { code: "CANCELLED" });
        await until(() => agent.cancelled.length === 1);
      } finally {
        await connection.close();
        await agent.close();
      }
    });
