/** T11: no spelling of a private address, no name that leads to one and no redirect gets a request out of a capability. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { canPin } from "../../src/runtime/pinned-fetch.ts";
import { call, Folder, rest, tryOnce, upstreamOver } from "./fixture.ts";
import { RawApi } from "./raw-api.ts";

const privateHosts = [
  ..."127.0.0.1 127.1 127.0.1 127.000.000.001 0177.0.0.1 0x7f.1 0x7f000001 2130706433 017700000001 127.0.0.1.".split(
    " ",
  ),
  ..."0.0.0.0 0 10.0.0.1 10.1 100.64.0.1 100.127.255.255 169.254.169.254 0xa9fea9fe 2852039166 172.16.0.1".split(" "),
  ..."172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1".split(" "),
  ..."224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16".split(" "),
  ..."[::] [::1] [0:0:0:0:0:0:0:1] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:10.0.0.1]".split(" "),
  ..."[::ffff:a9fe:a9fe] [64:ff9b::7f00:1] [64:ff9b:1::1] [2002:7f00:1::] [2001::1] [2001:db8::1]".split(" "),
  ..."[3fff::1] [5f00::1] [100::1] [fc00::1] [fd00:ec2::254] [fe80::1] [febf::1] [fec0::1] [ff02::1]".split(" "),
  "127。0。0。1",
  "127．0．0．1",
  "①②⑦.0.0.1",
  "１２７.0.0.1",
  "%31%32%37.0.0.1",
];

const forbidResolving = () => Promise.reject(new Error("A literal address needs no resolver"));

test("T11: every spelling of a private or reserved address is refused", async () => {
  for (const host of privateHosts) {
    const options = { ssrfProtection: true, resolveHost: forbidResolving };
    const { isError, text } = await tryOnce(rest({ base_url: `http://${host}:9` }), options);
    assert.equal(isError, true, host);
    assert.match(text, /^Cannot send a request to ".+": it is a private or reserved address\n/, host);
  }
});

/** What `fetch` was asked for: where it connects to, and for which host. The answer comes from a server of the test. */
function redirected(api: RawApi): { seen: { address: string; host: string }[]; [Symbol.dispose](): void } {
  const seen: { address: string; host: string }[] = [];
  const real = globalThis.fetch;
  const redirect = (url: URL, init: RequestInit) => {
    seen.push({ address: url.hostname, host: new Headers(init.headers).get("host") ?? url.host });
    return real(new URL(`${api.origin}${url.pathname}${url.search}`), init);
  };
  globalThis.fetch = redirect as typeof fetch;
  return {
    seen,
    [Symbol.dispose]: () => {
      globalThis.fetch = real;
    },
  };
}

test("T11: addresses just outside the reserved blocks are not refused, and the request goes there", async () => {
  await using api = await RawApi.start();
  using fetched = redirected(api);
  const { seen } = fetched;
  const addresses = [
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
  ];
  for (const address of addresses) {
    const options = { ssrfProtection: true, resolveHost: async () => [address] };
    const { isError } = await tryOnce(rest({ base_url: "http://api.example:8080" }), options);
    assert.equal(isError, false, address);
    const literal = new URL(`http://${address.includes(":") ? `[${address}]` : address}`).hostname;
    assert.deepEqual(seen.at(-1), { address: canPin() ? literal : "api.example", host: "api.example:8080" });
  }
});

test("T11: a name that is looked up again by nobody cannot be rebound", async () => {
  await using api = await RawApi.start();
  using fetched = redirected(api);
  const { seen } = fetched;
  let lookups = 0;
  const resolveHost = async () => (lookups++ === 0 ? ["2606:4700::1111", "1.1.1.1"] : ["127.0.0.1"]);
  await tryOnce(rest({ base_url: "https://rebound.example" }), { ssrfProtection: true, resolveHost });
  assert.equal(lookups, 1);
  if (canPin()) assert.deepEqual(seen, [{ address: "1.1.1.1", host: "rebound.example" }]);
});

test("T11: a name is refused when any of its addresses is private, or when it has none", async () => {
  await using api = await RawApi.start();
  const base_url = `http://localhost:${api.port}`;
  for (const addresses of [
    ["10.0.0.1"],
    ["1.1.1.1", "::1"],
    ["1.1.1.1", "192.168.0.1"],
    ["fe80::1%eth0"],
    ["nonsense"],
  ]) {
    const { text } = await tryOnce(rest({ base_url }), { ssrfProtection: true, resolveHost: async () => addresses });
    assert.match(text, /private or reserved address/, addresses.join());
  }
  const { text } = await tryOnce(rest({ base_url }), { ssrfProtection: true, resolveHost: forbidResolving });
  assert.match(text, /^Cannot find the host "localhost"\n/);
  assert.equal(api.requests.length, 0);
});

test("T11: a name whose answer turns private before a redirect is refused there", async () => {
  await using api = await RawApi.start(() => ({ status: 307, headers: { location: "?again" } }));
  using _fetched = redirected(api);
  const answers = [["1.1.1.1"], ["1.1.1.1"], ["169.254.169.254"]];
  const options = { ssrfProtection: true, resolveHost: async () => answers.shift() ?? [] };
  const { isError } = await tryOnce(rest({ base_url: "http://api.example" }), options);
  assert.equal(isError, true);
  assert.equal(api.requests.length, 2);
});

test("T11: a URL a caller gives as a whole is held to the same rules", async () => {
  await using canary = await RawApi.start();
  const definition = rest({ endpoint: "{url}" }, { url: "string" });
  const urls: readonly (readonly [string, RegExp])[] = [
    [`${canary.origin}/`, /private or reserved/],
    [`http://1.1.1.1@127.0.0.1:${canary.port}/`, /with a user name in it/],
    [`http://127.0.0.1:${canary.port}\\@1.1.1.1/`, /private or reserved/],
    [`http://127.0.0.1:${canary.port}#@1.1.1.1/`, /private or reserved/],
    [`http:\\\\127.0.0.1:${canary.port}/`, /not an http or https URL/],
    [`//127.0.0.1:${canary.port}/`, /not an http or https URL/],
    [`ftp://127.0.0.1:${canary.port}/`, /not an http or https URL/],
    ["file:///etc/passwd", /not an http or https URL/],
    ["http://", /not an http or https URL/],
    ["http://1.2.3.4.5/", /not a valid URL/],
  ];
  for (const [url, refusal] of urls) {
    const { isError, text } = await tryOnce(definition, {
      args: { url },
      ssrfProtection: true,
      resolveHost: forbidResolving,
    });
    assert.equal(isError, true, url);
    assert.match(text, refusal, url);
  }
  assert.equal(canary.requests.length, 0);
});

test("T11: a URL a caller gives as a whole is sent as it is when private addresses are allowed", async () => {
  await using api = await RawApi.start();
  await tryOnce(rest({ endpoint: "{url}" }, { url: "string" }), {
    args: { url: `${api.origin}/a%2Fb/{url}?q=%26&r#f` },
  });
  assert.equal(api.last.line, "GET /a%2Fb/%7Burl%7D?q=%26&r HTTP/1.1");
});

test("T11: no redirect leaves the origin, and none takes the key along", async () => {
  await using canary = await RawApi.start();
  const targets = [
    `${canary.origin}/`,
    `//127.0.0.1:${canary.port}/`,
    "http://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "http://[",
  ];
  for (const status of [301, 302, 303, 307, 308])
    for (const location of targets) {
      await using api = await RawApi.start(() => ({ status, headers: { location } }));
      const definition = rest({ base_url: api.origin }, {}, { auth: { key: "KEY" } });
      const { isError, text } = await tryOnce(definition, { env: { KEY: "canary" } });
      assert.equal(isError, true, location);
      assert.match(text, /^"127\.0\.0\.1:\d+" redirects to .+, which is not followed\n/);
      assert.equal(api.requests.length, 1);
    }
  assert.equal(canary.requests.length, 0);
});

test("redirect: within the origin it is followed as browsers do, five times at most", async () => {
  await using api = await RawApi.start(({ line }) =>
    line.includes("/start") ? { status: line.includes("keep") ? 307 : 302, headers: { location: "/end" } } : {},
  );
  const post = (path: string) => tryOnce(rest({ base_url: api.origin, path, method: "POST" }), { args: { a: 1 } });
  await post("/start");
  assert.deepEqual(
    [api.last.line, api.last.body, api.last.headers.has("content-type")],
    ["GET /end HTTP/1.1", "", false],
  );
  await post("/start-keep");
  assert.deepEqual([api.last.line, api.last.body], ["POST /end HTTP/1.1", '{"a":1}']);

  await using loop = await RawApi.start(() => ({ status: 302, headers: { location: "/" } }));
  const { text } = await tryOnce(rest({ base_url: loop.origin }));
  assert.match(text, /redirects more than 5 times/);
  assert.equal(loop.requests.length, 6);
});

test("T11: ssrf_protection off opens private addresses and nothing else", async () => {
  await using folder = await Folder.with({
    "tool.yaml": JSON.stringify({ description: "d", ...rest({ endpoint: "{url}" }, { url: "string" }) }),
  });
  await using upstream = upstreamOver([folder.path], { ssrfProtection: false });
  assert.match((await call(upstream, "tool", { url: "file:///etc/passwd" })).text, /not an http or https URL/);
  assert.match((await call(upstream, "tool", { url: "http://u:p@127.0.0.1:9/" })).text, /with a user name in it/);
});
