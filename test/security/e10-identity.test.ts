/** Servers that are told who calls: nobody is ever taken for somebody else, and nothing that speaks for a caller gets out. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type GatewayProcess, startGateway } from "../e2e/harness.ts";
import {
  digestOf,
  type ExchangeServer,
  openExchangeServer,
  openTokenIssuer,
  openWhoServer,
  type TokenIssuer,
  type Who,
  type WhoServer,
} from "../fixtures/identity-world.ts";
import { each, HttpClient, type Loose } from "./clients.ts";

const modes = ["stateless", "per_user"] as const;
let issuer: TokenIssuer;
let exchange: ExchangeServer;
let server: WhoServer;
let gateway: GatewayProcess;
/** All that clients showed the gateway. */
const shown: string[] = [];
/** All that any client was told. */
const told: string[] = [];

before(async () => {
  issuer = await openTokenIssuer();
  exchange = await openExchangeServer();
  server = await openWhoServer();
  const strategies = {
    signed: { strategy: "signed_assertion" },
    exchanged: { strategy: "token_exchange", token_exchange_endpoint: exchange.url },
    passed: { strategy: "passthrough" },
  };
  const backends = Object.entries(strategies).flatMap(([name, settings]) =>
    modes.map((session_mode) => [
      `${name}-${session_mode}`,
      { http_url: server.url, identity_propagation: { ...settings, session_mode, required: true } },
    ]),
  );
  gateway = await startGateway(
    {
      capabilities: { enabled: false },
      server: { public_url: "https://gateway.test" },
      auth: {
        enabled: true,
        api_keys: [{ key: "c4n4ry-key-of-the-team", name: "team" }],
        issuers: [{ issuer: issuer.issuer, rules: [{ backends: ["*"] }] }],
      },
      cache: { default_ttl: "60s" },
      failsafe: {
        retry: { max_attempts: 5, initial_backoff: "1ms", budget_per_second: 1e6 },
        rate_limit: { requests_per_second: 1e6, burst_size: 1e6 },
        circuit_breaker: { failure_threshold: 1_000 },
      },
      security: { transparency_log: { enabled: true, path: "calls.jsonl" } },
      backends: Object.fromEntries(backends),
    },
    { args: ["--log-level", "debug"] },
  );
});
after(async () => {
  await gateway?.stop();
  await server?.close();
  exchange?.close();
  issuer?.close();
});

interface Person {
  /** As the server names him. */
  readonly is: string;
  readonly client: HttpClient;
}

/** Several of one sort, each with a session at the backend's own address. */
function people(backend: string): Promise<Person[]> {
  return Promise.all(
    Array.from({ length: 6 }, async (_, at) => {
      const url = `${gateway.url}/mcp/${backend}`;
      if (!backend.startsWith("passed")) {
        const token = await issuer.token(`person-${at}`);
        shown.push(token);
        return { is: `person-${at}`, client: await HttpClient.open(url, { authorization: `Bearer ${token}` }) };
      }
      // One key of the gateway for all of them.
      const own = `Bearer c4n4ry-own-${at}-of-many`;
      shown.push(own.slice(7));
      const headers = { "x-api-key": "c4n4ry-key-of-the-team", "x-mcp-passthrough-authorization": own };
      return { is: digestOf(own), client: await HttpClient.open(url, headers) };
    }),
  );
}

async function who({ client }: Person, tool: string, more: object = {}): Promise<Who> {
  const reply = await client.request("tools/call", { name: tool, ...more });
  told.push(reply.body);
  const { result, error } = reply.message;
  assert.ok(result?.isError !== true && error === undefined, reply.body);
  return JSON.parse(result.content[0].text) as Who;
}

for (const mode of modes)
  for (const name of ["signed", "exchanged", "passed"])
    test(`T7: ${name}, ${mode}: everybody is himself, at once, in retries, in sessions made anew and in what is kept`, async () => {
      const all = await people(`${name}-${mode}`);
      const owners = new Map<string, Set<string>>();
      let rounds = 0;
      const round = async (person: Person, tool: string, more: object) => {
        const { caller, owner, session } = await who(person, tool, more);
        assert.equal(caller, person.is);
        if (mode === "per_user") assert.equal(owner, person.is);
        owners.set(session, (owners.get(session) ?? new Set()).add(person.is));
        rounds++;
      };
      const everybody = (times: number) => {
        const turns = Array.from({ length: times }, (_, at) => [...all, ...all].map((person) => ({ person, at })));
        // The same questions by everybody, some of them twice.
        return each(turns.flat(), 12, ({ person, at }) => round(person, "who", { arguments: { at } }));
      };
      await everybody(4);
      server.cutEach = 7;
      await everybody(10);
      server.cutEach = 0;
      server.forget();
      await everybody(14);
      const _meta = { "mcp-gateway/idempotency_key": `of-${name}-${mode}` };
      for (const person of [...all, ...all]) await round(person, "write", { _meta });
      assert.equal(rounds, all.length * 2 * 29);
      for (const [session, holders] of owners) if (mode === "per_user") assert.equal(holders.size, 1, session);
    });

test("T7: writes are never answered with another caller's, nor repeated by the gateway", async () => {
  for (const backend of ["signed-stateless", "signed-per_user", "passed-stateless"]) {
    const all = await people(backend);
    const calls = () => [...server.sessions.values()].reduce((sum, one) => sum + one.calls, 0);
    const before = calls();
    await each([...all, ...all, ...all], 9, async (person) => {
      assert.equal((await who(person, "write")).caller, person.is);
    });
    assert.equal(calls() - before, all.length * 3, backend);
  }
});

test("T9: a server gets what is made for it, and nothing else that a client showed the gateway", () => {
  const arrived = server.requests.map(({ head, body }) => head + body).join("\n");
  assert.doesNotMatch(arrived, /x-api-key|cookie|passthrough|c4n4ry-key/i);
  for (const value of shown.filter((one) => one.startsWith("eyJ")))
    assert.ok(!arrived.includes(value.split(".")[2] ?? ""));
  const [first] = shown.filter((one) => one.startsWith("eyJ"));
  assert.ok(
    exchange.asked.some(({ subject_token }) => subject_token?.startsWith("eyJ")),
    "only the exchange does",
  );
  assert.ok(first !== undefined);
});

test("T25: a caller whom the server refuses closes the way to nobody else", async () => {
  for (const mode of modes) {
    const [bad, good] = (await people(`signed-${mode}`)) as [Person, Person];
    server.refused.add(bad.is);
    for (let at = 0; at < 12; at++) {
      const reply = await bad.client.request("tools/call", { name: "write", arguments: { at } });
      told.push(reply.body);
      assert.match(reply.body, /FORBIDDEN/);
      assert.match(reply.body, /does not let this caller in/);
      assert.doesNotMatch(reply.body, /CIRCUIT_OPEN|login/i);
    }
    assert.equal((await who(good, "write")).caller, good.is);
    server.refused.clear();
    assert.equal((await who(bad, "write")).caller, bad.is, "at once");
  }
});

test("T13: what speaks for a caller is in no answer, log, record or file of the gateway", async () => {
  for (const name of ["signed", "exchanged", "passed"])
    for (const mode of modes) {
      const [person] = (await people(`${name}-${mode}`)) as [Person];
      const reply = await person.client.tool("echo");
      told.push(reply.body);
      assert.match(reply.body, /Bearer \[redacted\]/, "the server repeats it");
    }
  exchange.respond = (form) => ({
    status: 400,
    body: { error: "invalid_request", error_description: `no: ${form.get("subject_token")}` },
  });
  const token = await issuer.token("told off");
  shown.push(token);
  const client = await HttpClient.open(`${gateway.url}/mcp`, { authorization: `Bearer ${token}` });
  told.push((await client.invoke("exchanged-stateless", "who")).body);
  exchange.respond = undefined;
  const files = readdirSync(gateway.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^gateway.yaml$|\.tmp$/.test(entry.name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
  const health = await (await fetch(`${gateway.url}/health`)).text();
  const sent = server.requests.flatMap(({ headers }) => headers["authorization"]?.slice(7) ?? []);
  const secrets = new Set([...shown, ...sent, "c4n4ry-key-of-the-team"].map((one) => one.split(".").at(-1) as string));
  assert.ok(secrets.size > 100 && files.some((text) => text.includes("person-1")), "there was something to look for");
  const everything = [gateway.stderr(), health, ...files, ...told].join("\n");
  for (const secret of secrets) assert.ok(!everything.includes(secret), secret);
});

test("T21: what is published of the key is its public half, to whoever asks, and nothing more", async () => {
  const response = await fetch(`${gateway.url}/.well-known/jwks.json`);
  assert.equal(response.status, 200);
  const { keys, ...rest } = (await response.json()) as Loose;
  assert.deepEqual(rest, {});
  for (const key of keys) assert.deepEqual(Object.keys(key).sort(), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
  const file = JSON.parse(readFileSync(join(gateway.folder, "state", "identity-keys.json"), "utf8")) as Loose;
  assert.ok(!gateway.stderr().includes(file.keys[0].jwk.d));
  for (const method of ["POST", "DELETE"])
    assert.equal((await fetch(`${gateway.url}/.well-known/jwks.json`, { method })).status, 405);
});
