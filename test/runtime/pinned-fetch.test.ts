import assert from "node:assert/strict";
import { createServer as createHttp } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { type TestContext, test } from "node:test";
import { canPin, fetchFrom } from "../../src/runtime/pinned-fetch.ts";

/** Of `api.example` alone, signed by itself, for the next hundred years. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIULlCVqkkCWtkRVzhkl/nINXB3+dQwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLYXBpLmV4YW1wbGUwIBcNMjYxMTI1MTgyOTU2WhgPMjEyNjEx
MDExODI5NTZaMBYxFDASBgNVBAMMC2FwaS5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAET083tKxu5XQlqI+byzjUSric5ZtQ29A10f912QF2Yk+twd/v
U/NqssIN7NA4cfU3pq9oelnzYrJqLhj5JohOa6NrMGkwHQYDVR0OBBYEFHnxny7W
EUf2PRaHlTU2t/C96IW4MB8GA1UdIwQYMBaAFHnxny7WEUf2PRaHlTU2t/C96IW4
MA8GA1UdEwEB/wQFMAMBAf8wFgYDVR0RBA8wDYILYXBpLmV4YW1wbGUwCgYIKoZI
zj0EAwIDSQAwRgIhAOa9Wl/2oMnhMEJDw01Bebh0ZZw6wCWl0SQTD312uppVAiEA
6hk2J8uHQNu4piY1HM2hJ4B8L1TXyItA4KyActH8C+4=
-----END CERTIFICATE-----`;
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8PPb2RXOfOcN76f7
t3wkf/wKJzdjD8bWjNjbMgPlibahRANCAARPTze0rG7ldCWoj5vLONRKuJzlm1Db
0DXR/3XZAXZiT63B3+9T82qywg3s0Dhx9Temr2h6WfNismouGPkmiE5r
-----END PRIVATE KEY-----`;

async function portOf(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test("fetchFrom: connects to the address, for the host of the name", async (t) => {
  if (!canPin()) return t.skip("this runtime resolves names itself");
  const port = await portOf(
    t,
    createHttp((request, response) => response.end(request.headers.host)),
  );
  const response = await fetchFrom(new URL(`http://api.example:${port}/`), "127.0.0.1", { method: "GET" });
  assert.equal(await response.text(), `api.example:${port}`);
});

test("fetchFrom: the certificate must be that of the name, not of the address", async (t) => {
  if (!canPin()) return t.skip("this runtime resolves names itself");
  const port = await portOf(
    t,
    createHttps({ key, cert: certificate }, (_request, response) => response.end("in")),
  );
  const tls = { ca: certificate };
  const get = (host: string) => fetchFrom(new URL(`https://${host}:${port}/`), "127.0.0.1", { tls });
  assert.equal(await (await get("api.example")).text(), "in");
  await assert.rejects(get("other.example"));
  await assert.rejects(fetchFrom(new URL(`https://api.example:${port}/`), "127.0.0.1", {}));
});

test("fetchFrom: without an address it is fetch", async (t) => {
  const port = await portOf(
    t,
    createHttp((_request, response) => response.end("plain")),
  );
  assert.equal(await (await fetchFrom(new URL(`http://127.0.0.1:${port}/`), undefined, {})).text(), "plain");
});
