/** A gateway without backends: a tiny face over the real session table, for driving the doors. */
import * as v from "valibot";
import { webhooksSchema } from "../../src/capabilities/webhooks/schema.ts";
import type { Face, FaceContext } from "../../src/clients/face.ts";
import type { SessionTable } from "../../src/clients/session.ts";
import { createSessionTable } from "../../src/clients/session-table.ts";
import { Subscriptions } from "../../src/clients/subscriptions.ts";
import { controlPlaneSchema } from "../../src/config/control-plane/schema.ts";
import { silentLogger } from "../../src/core/log.ts";
import { agentAuthSchema } from "../../src/doors/agent-auth/schema.ts";
import { agentIdentitySchema } from "../../src/doors/agent-identity/schema.ts";
import { keyServerSchema } from "../../src/doors/key-server/schema.ts";
import { authSchema, serverSchema, streamingSchema } from "../../src/doors/schema.ts";
import { ClientBreakers } from "../../src/gateway/client-breakers.ts";
import { createControlPlane } from "../../src/gateway/control-plane.ts";
import type { Gateway } from "../../src/gateway/gateway.ts";
import { createKillSwitchPanel } from "../../src/gateway/kill-switch-panel.ts";
import { createOperation } from "../../src/gateway/operation.ts";
import { ServerLog } from "../../src/gateway/server-log.ts";
import { watchCalls } from "../../src/gateway/watch-calls.ts";
import { neverCancelled } from "../../src/lib/cancellation.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { encodeError, encodeRequest, encodeResult, type RpcMessage } from "../../src/mcp/json-rpc.ts";
import { negotiateVersion } from "../../src/mcp/protocol.ts";
import type { ServerView } from "../../src/meta/meta-tool.ts";
import { metaMcpSchema } from "../../src/meta/schema.ts";
import { ToolViews } from "../../src/meta/states/tool-views.ts";
import { randomToken } from "../../src/runtime/random.ts";
import { StageStates } from "../../src/stages/stage-states.ts";

export interface FakeGateway extends Gateway {
  /** Every message the face was given, in order: what a refused request must not be in. */
  readonly seen: RpcMessage[];
  /** Makes the running `wait` calls answer. */
  release(): void;
  config: Gateway["config"];
  modernFace: Gateway["modernFace"];
  webhooks: Gateway["webhooks"];
  draining: boolean;
  configError: string | undefined;
  degraded: string[];
  serverViews: ServerView[];
}

interface Sections {
  readonly server?: Record<string, unknown>;
  readonly auth?: Record<string, unknown>;
  readonly streaming?: Record<string, unknown>;
  readonly key_server?: Record<string, unknown>;
  readonly agent_auth?: Record<string, unknown>;
  readonly agent_identity?: Record<string, unknown>;
  readonly control_plane?: Record<string, unknown>;
}

export function fakeConfig(sections: Sections = {}): Gateway["config"] {
  return {
    server: v.parse(serverSchema, { port: 0, ...sections.server }),
    auth: v.parse(authSchema, sections.auth ?? {}),
    streaming: v.parse(streamingSchema, sections.streaming ?? {}),
    meta_mcp: v.parse(metaMcpSchema, {}),
    webhooks: v.parse(webhooksSchema, {}),
    backends: {},
    security: { agent_identity: v.parse(agentIdentitySchema, sections.agent_identity ?? {}) },
    ...(sections.key_server && { key_server: v.parse(keyServerSchema, sections.key_server) }),
    ...(sections.control_plane && { control_plane: v.parse(controlPlaneSchema, sections.control_plane) }),
    ...(sections.agent_auth && { agent_auth: v.parse(agentAuthSchema, sections.agent_auth) }),
  } as Gateway["config"];
}

export function fakeGateway(sections: Sections = {}, clock: Clock = systemClock): FakeGateway {
  const stageStates = new StageStates(systemClock, () => {});
  const config = fakeConfig(sections);
  const sessions: SessionTable = createSessionTable({
    subscriptions: new Subscriptions(),
    calendar: Date.now,
    clock: systemClock,
    newId: () => randomToken(32),
    settings: () => config.streaming,
  });
  const controlPlane = createControlPlane({
    config: () => config,
    log: silentLogger,
    clock,
    journalPath: undefined,
    redact: (text) => text,
    noteProblem: () => () => {},
  });
  const seen: RpcMessage[] = [];
  const waiting: (() => void)[] = [];

  const face: Face = {
    async warmUp() {},
    async initialize(params, context) {
      seen.push({ kind: "request", id: 0, method: "initialize", params: params as JsonObject });
      const protocolVersion = negotiateVersion((params as JsonObject)["protocolVersion"]);
      const session = sessions.open({
        principal: context.caller.principal,
        backend: context.backend,
        protocolVersion,
        clientInfo: {},
        clientCapabilities: {},
      });
      const capabilities = { tools: {}, logging: {} };
      const serverInfo = { name: "fake", version: "1" };
      return { session, resultText: JSON.stringify({ protocolVersion, capabilities, serverInfo }) };
    },
    async handle(message, context) {
      seen.push(message);
      if (message.kind !== "request") return undefined;
      if (message.method === "ping") return encodeResult(message.id, "{}");
      if (message.method === "tools/list") return encodeResult(message.id, JSON.stringify({ tools }));
      if (message.method !== "tools/call")
        return encodeError(message.id, { code: -32_601, message: `No method "${message.method}"` });
      return call(message.id, message.params ?? {}, context);
    },
  };
  const tools = ["echo", "noisy", "wait", "pretty", "boom"].map((name) => ({ name, inputSchema: { type: "object" } }));

  async function call(id: string | number, params: JsonObject, context: FaceContext): Promise<string | undefined> {
    const text = (value: string) => encodeResult(id, JSON.stringify({ content: [{ type: "text", text: value }] }));
    switch (params["name"]) {
      case "echo":
        return text(JSON.stringify(params["arguments"] ?? null));
      case "noisy": {
        const progressToken = (params["_meta"] as JsonObject | undefined)?.["progressToken"] ?? "none";
        context.emit(encodeRequest(undefined, "notifications/progress", { progressToken, progress: 1, total: 2 }));
        await Promise.resolve();
        context.emit(encodeRequest(undefined, "notifications/progress", { progressToken, progress: 2, total: 2 }));
        return text("done");
      }
      case "wait":
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          context.signal.addEventListener("abort", () => resolve());
        });
        return text("waited");
      case "long": {
        const result = JSON.stringify(params["arguments"]);
        return context.answerLong?.(id, result) ? undefined : encodeResult(id, result);
      }
      case "cancelled":
        return undefined;
      case "pretty":
        return encodeResult(id, JSON.stringify({ content: [] }, null, 2));
      default:
        throw new TypeError("a defect");
    }
  }

  const gateway: FakeGateway = {
    config,
    clientCircuits: new ClientBreakers(clock, () => gateway.config.auth.client_circuit_breaker),
    log: silentLogger,
    face,
    sessions,
    catalog: { ready: async () => {}, list: () => [{ name: "one" }, { name: "two" }] } as unknown as Gateway["catalog"],
    views: new ToolViews({ list: () => [], tool: () => undefined }, () => undefined),
    startedAt: new Date(),
    draining: false,
    configError: undefined,
    degraded: [],
    serverViews: [],
    inFlight: 0,
    publicKeys: () => Promise.resolve({ keys: [] }),
    seen,
    servers() {
      return this.serverViews;
    },
    release() {
      for (const go of waiting.splice(0)) go();
    },
    operation: createOperation({
      watch: watchCalls({
        catalog: { list: () => undefined, tool: () => undefined },
        log: silentLogger,
        clock: systemClock,
        redact: (text) => text,
        stateDirectory: undefined,
        onProblem() {},
      }),
      serverLog: new ServerLog(),
      stageStates,
      upstreamOf: () => {
        throw new Error("There are no upstreams");
      },
      lists: () => {
        throw new Error("There are no lists");
      },
      redact: (text) => text,
      stopping: neverCancelled,
      note: controlPlane.note,
    }),
    webhooks: {
      receiver: async () => undefined,
      list: async () => [],
      known: () => [],
      take() {},
      flush: async () => {},
    },
    call: () => Promise.reject(new Error("not called by doors")),
    modernFace: () => Promise.reject(new Error("not called by these tests")),
    killSwitches: createKillSwitchPanel(stageStates, controlPlane.note),
    controlPlane,
    waitingForLogin: new Set(),
    costs: () => Promise.reject(new Error("not called by doors")),
    heldTools: async () => [],
    approveTool: async () => "not held",
    reload: () => Promise.reject(new Error("not called by doors")),
    drain: () => Promise.resolve(),
    async close() {
      sessions.closeAll();
    },
  };
  return gateway;
}
