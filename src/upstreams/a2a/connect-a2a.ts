/**
 * An A2A agent as a server of tools. There is no session: to be connected means to have read the agent's card, which is
 * asked for again whenever somebody wants the tools or wants to know whether the agent is there.
 */
import { Answer } from "../../core/answer.ts";
import type { RpcRequest } from "../../core/call.ts";
import { UpstreamError, UpstreamRpcError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { Connect, Connection, ConnectionEvents, ServerDescription } from "../../core/upstream.ts";
import { version } from "../../core/version.ts";
import { Cancellation, type CancelSignal } from "../../lib/cancellation.ts";
import type { Clock } from "../../lib/clock.ts";
import { isJsonObject } from "../../lib/json.ts";
import { listKinds } from "../../mcp/protocol.ts";
import { type Access, AuthorizedExchange } from "../http/authorized-exchange.ts";
import { isSuccess } from "../http/event-messages.ts";
import { asStartError, closedHere, reasonOf, statusError } from "../http/http-errors.ts";
import { type HttpExchange, openExchange } from "../http/http-exchange.ts";
import type { FindAddresses } from "../http/public-addresses.ts";
import { sendFollowing } from "../http/redirects.ts";
import { checkedHeaders, credentialsOf, isHeaderValue, RequestHead } from "../http/request-head.ts";
import { AgentCall, type AgentLink, type LinkRequest } from "./agent-call.ts";
import { type AgentCard, readCard } from "./agent-card.ts";
import { AgentRequest } from "./agent-request.ts";
import { type AgentTool, agentTools } from "./agent-tools.ts";
import { readArguments } from "./message-arguments.ts";
import { errorResult, replyResult } from "./reply-result.ts";

export interface A2aSettings {
  readonly name: string;
  /** `a2a_url`: what the agent's paths lie below, or the address of the card itself. */
  readonly url: string;
  /** `a2a_agent_card_path`, below `url`; the usual places by default. */
  readonly cardPath: string | undefined;
  /** Where the URL may lead; left out, anywhere. */
  readonly findAddresses?: FindAddresses | undefined;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly maxResultBytes: number;
  /** A login that adds credentials to every request. */
  readonly access?: Access | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Takes secrets out of what an agent says of an error. */
  redact(text: string): string;
}

/** Since 0.3, and before. */
const usualCardPaths = ["/.well-known/agent-card.json", "/.well-known/agent.json"];
/** For telling an agent that a task is not wanted any more. */
const cancelLimitMs = 2_000;

export function a2aConnect(settings: A2aSettings): Connect {
  return async (signal, events) => {
    const agent = new AgentConnection(settings, events);
    try {
      await agent.open(signal);
      return agent;
    } catch (error) {
      await agent.close();
      throw asStartError(error, settings.name);
    }
  };
}

interface FoundCard {
  readonly url: URL;
  readonly text: string;
  readonly etag: string | undefined;
}

class AgentConnection implements Connection, AgentLink {
  readonly pid = undefined;
  readonly closed: Promise<string>;
  readonly server: string;
  readonly maxResultBytes: number;
  readonly clock: Clock;
  description!: ServerDescription;
  readonly #settings: A2aSettings;
  readonly #events: ConnectionEvents;
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #http: HttpExchange;
  readonly #running = new Set<AgentCall>();
  readonly #goodbyes = new Set<Promise<void>>();
  #found: FoundCard | undefined;
  #card!: AgentCard;
  #tools: ReadonlyMap<string, AgentTool> = new Map();
  #list = Answer.of({ tools: [] });
  #lastId = 0;
  #closing: Promise<void> | undefined;
  #resolveClosed!: (reason: string) => void;

  constructor(settings: A2aSettings, events: ConnectionEvents) {
    const { name, maxResultBytes, clock, access, findAddresses } = settings;
    this.server = name;
    this.maxResultBytes = maxResultBytes;
    this.clock = clock;
    this.#settings = settings;
    this.#events = events;
    const url = addressOf(settings);
    this.#headers = {
      "user-agent": `mcp-gateway/${version}`,
      ...credentialsOf(url),
      ...checkedHeaders(name, settings.headers),
    };
    url.username = url.password = "";
    this.#url = url;
    const plain = openExchange(url, { server: name, maxBodyBytes: maxResultBytes, clock, findAddresses });
    this.#http = access === undefined ? plain : new AuthorizedExchange(plain, access);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  async open(signal: CancelSignal): Promise<void> {
    await this.#readCard(signal);
    const { name, version, description, dialect } = this.#card;
    this.description = {
      protocolVersion: `A2A ${dialect.version}`,
      serverInfo: { name, version: version || undefined },
      capabilities: { tools: { listChanged: true } },
      instructions: description === "" ? undefined : description,
    };
  }

  async request(request: RpcRequest): Promise<Answer> {
    switch (request.method) {
      case "tools/list":
        await this.#readCard(request.signal);
        return this.#list;
      case "tools/call":
        return this.#call(request);
      case "ping":
        if (await this.#readCard(request.signal)) this.#events.onNotification(listKinds.tools.changed, {});
        return Answer.of({});
      default:
        throw this.#rpcError(-32_601, `Method not found: ${request.method}`);
    }
  }

  /** An agent has no use for what a client of MCP announces. */
  notify(): void {}

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async post(card: AgentCard, asked: LinkRequest): Promise<void> {
    const head = new RequestHead("POST", card.endpoint, {
      ...this.#headers,
      ...card.dialect.headers,
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
    });
    const { server, maxResultBytes } = this;
    const request = new AgentRequest({ ...asked, server, maxResultBytes, id: ++this.#lastId, head });
    request.end(await sendFollowing(this.#http, request, server));
  }

  cancelTask(card: AgentCard, taskId: string): void {
    const signal = new Cancellation();
    const endLimit = this.clock.after(cancelLimitMs, () => signal.abort());
    const params = { tenant: card.tenant, id: taskId };
    const method = card.dialect.cancel;
    const goodbye = this.post(card, { method, params, signal, sendOnce: false, onResult: () => true })
      .catch((error) => this.#settings.log.debug("Could not cancel a task", { taskId, error: reasonOf(error) }))
      .finally(() => {
        endLimit();
        this.#goodbyes.delete(goodbye);
      });
    this.#goodbyes.add(goodbye);
  }

  async #call(request: RpcRequest): Promise<Answer> {
    const name = request.params?.["name"];
    const args = request.params?.["arguments"] ?? {};
    if (typeof name !== "string" || !isJsonObject(args))
      throw this.#rpcError(-32_602, 'tools/call needs a text "name" and an object "arguments"');
    const tool = this.#tools.get(name);
    if (tool === undefined) throw this.#rpcError(-32_602, `Unknown tool: ${name}`);
    const message = readArguments(args);
    if (typeof message === "string") return Answer.of({ content: [{ type: "text", text: message }], isError: true });
    const { skill } = tool;
    const call = new AgentCall(this, this.#card, skill?.outputModes ?? this.#card.outputModes, request);
    const metadata = skill === undefined ? undefined : { skillId: skill.id };
    try {
      const reply = call.run({ ...message, metadata });
      this.#running.add(call);
      void call.ended.then(() => this.#running.delete(call));
      return Answer.of(replyResult(this.server, await reply));
    } catch (error) {
      if (!(error instanceof UpstreamRpcError)) throw error;
      error.redact(this.#settings.redact);
      return Answer.of(errorResult(this.server, error));
    }
  }

  /** Whether the tools are others than before. Nothing changes when it rejects. */
  async #readCard(signal: CancelSignal): Promise<boolean> {
    const found = await this.#fetchCard(signal);
    if (found === undefined) return false;
    const card = readCard(this.server, found.text, this.#url);
    const tools = agentTools(card);
    const list = Answer.of({ tools: [...tools.values()].map(({ listed }) => listed) });
    const isChanged = list.text !== this.#list.text;
    this.#found = found;
    this.#card = card;
    this.#tools = tools;
    this.#list = list;
    return isChanged;
  }

  /** `undefined` when it is the one that was read before. */
  async #fetchCard(signal: CancelSignal): Promise<FoundCard | undefined> {
    const { cardPath } = this.#settings;
    const places = this.#found === undefined ? placesOf(this.#url, cardPath) : [this.#found.url];
    let missing: unknown;
    for (const url of places) {
      const head = new RequestHead("GET", url, {
        ...this.#headers,
        accept: "application/json",
        // What an agent of 1.0 has for older clients as well need not be all it has.
        "a2a-version": "1.0",
        "if-none-match": this.#found?.etag,
      });
      const response = await sendFollowing(this.#http, { head, body: undefined, signal }, this.server);
      if (response.status === 304 && this.#found?.etag !== undefined) return undefined;
      if (isSuccess(response)) {
        const etag = response.headers.get("etag") ?? "";
        return { url, text: response.text, etag: isHeaderValue(etag) && etag !== "" ? etag : undefined };
      }
      const error = statusError(this.server, response, response.text);
      if (error.status !== 404 && error.status !== 405) throw error;
      missing = error;
    }
    const tried = places.map(({ pathname }) => pathname).join(", ");
    throw new UpstreamError("UPSTREAM_START_FAILED", `Server "${this.server}" has no agent card at ${tried}`, {
      hint: `Set "a2a_url" of the backend to what its card lies below, and "a2a_agent_card_path" if that is no usual place`,
      cause: missing,
      data: { server: this.server },
    });
  }

  async #end(): Promise<void> {
    const running = [...this.#running];
    for (const call of running) call.stop(closedHere(this.server));
    await Promise.all(running.map(({ ended }) => ended));
    await Promise.all(this.#goodbyes);
    this.#http.close();
    this.#resolveClosed("was closed by the gateway");
  }

  #rpcError(code: number, message: string): UpstreamRpcError {
    return new UpstreamRpcError({ code, message }, this.server);
  }
}

function addressOf({ name, url }: A2aSettings): URL {
  const parsed = URL.parse(url);
  if (parsed !== null && /^https?:$/.test(parsed.protocol)) return parsed;
  throw new UpstreamError(
    "UPSTREAM_START_FAILED",
    `Cannot connect to server "${name}": "a2a_url" is not a web address`,
    {
      hint: `Write it as "https://host/path"`,
      data: { server: name },
    },
  );
}

/** Below the agent's address, where frameworks with many agents put it, before the place for the whole host. */
function placesOf(url: URL, cardPath: string | undefined): URL[] {
  if (cardPath === undefined && url.pathname.endsWith(".json")) return [url];
  const below = url.pathname.replace(/\/+$/, "");
  const paths = cardPath === undefined ? usualCardPaths : [`/${cardPath.replace(/^\/+/, "")}`];
  const all = paths.map((path) => below + path);
  if (cardPath === undefined && below !== "") all.push(...usualCardPaths);
  return all.map((path) => Object.assign(new URL(url), { pathname: path, hash: "" }));
}
