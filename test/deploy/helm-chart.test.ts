import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse, parseAllDocuments } from "yaml";
import packageJson from "../../package.json" with { type: "json" };
import { loadConfig } from "../../src/config/load.ts";
import { lastOf, readDockerfile } from "../fixtures/dockerfile.ts";
import { renderTemplates } from "../fixtures/helm-template.ts";

const deploy = fileURLToPath(new URL("../../deploy/", import.meta.url));
const folder = join(deploy, "helm", "mcp-gateway");
const read = (path: string) => readFileSync(join(folder, path), "utf8");
const chart = parse(read("Chart.yaml"));
const templates = new Map(readdirSync(join(folder, "templates")).map((name) => [name, read(`templates/${name}`)]));

type Values = Record<string, unknown>;
// What Kubernetes objects look like is for the API server to say; here they are read by path.
// biome-ignore lint/suspicious/noExplicitAny: see above
type KubernetesObject = any;

/** As Helm does it: maps are merged, everything else is replaced. */
function merged(base: Values, over: Values): Values {
  const isMap = (value: unknown): value is Values =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = result[key];
    result[key] = isMap(before) && isMap(value) ? merged(before, value) : value;
  }
  return result;
}

function render(over: Values, release = "team"): ReadonlyMap<string, string> {
  return renderTemplates(templates, {
    Values: merged(parse(read("values.yaml")), over),
    Release: { Name: release, Namespace: "ai", Service: "Helm" },
    Chart: { Name: chart.name, Version: chart.version, AppVersion: chart.appVersion },
  });
}

function objects(texts: Iterable<string>): Map<string, KubernetesObject> {
  const documents = [...texts].flatMap((text) => parseAllDocuments(text));
  for (const { errors } of documents as { errors: unknown[] }[]) assert.deepEqual(errors, []);
  const values = documents.map((document) => (document as { toJS(): KubernetesObject }).toJS()).filter(Boolean);
  return new Map(values.map((value) => [value.kind, value]));
}

function rendered(over: Values = {}, release?: string): Map<string, KubernetesObject> {
  const texts = new Map(render(merged({ tokenSecret: { name: "tokens" } }, over), release));
  texts.delete("NOTES.txt");
  return objects(texts.values());
}

const variants: Record<string, Values> = {
  defaults: {},
  everything: {
    image: { repository: "registry.example/gateway", tag: "1.2.3" },
    config: {
      backends: { docs: { http_url: "https://docs.example/mcp", headers: { "X-Team": "docs" } } },
    },
    env: [{ name: "DOCS", value: "x" }],
    envFrom: [{ secretRef: { name: "more" } }],
    allowedHosts: ["mcp.example"],
    persistence: { existingClaim: "mine" },
    podAnnotations: { "example.com/a": "b" },
    nodeSelector: { disk: "fast" },
    tolerations: [{ key: "a", operator: "Exists" }],
    affinity: { podAntiAffinity: {} },
  },
  "no state": { persistence: { enabled: false } },
  "own class": { persistence: { storageClass: "fast" } },
  "several pods": {
    config: { shared_state: { redis_url: "env:REDIS_URL" } },
    replicas: 3,
    env: [{ name: "REDIS_URL", value: "redis://redis:6379" }],
  },
};

test("Helm chart: has the version of the program", () => {
  assert.deepEqual([chart.version, chart.appVersion], [packageJson.version, packageJson.version]);
});

test("Helm chart: objects refer to each other, and the pod is what the image is", () => {
  const all = rendered();
  assert.deepEqual([...all.keys()].sort(), ["ConfigMap", "Deployment", "PersistentVolumeClaim", "Service"]);
  const { spec, metadata } = all.get("Deployment").spec.template;
  const [container] = spec.containers;
  const selector = all.get("Service").spec.selector;
  assert.deepEqual(all.get("Deployment").spec.selector.matchLabels, selector);
  for (const [label, value] of Object.entries(selector)) assert.equal(metadata.labels[label], value);
  assert.equal(all.get("Service").spec.ports[0].targetPort, container.ports[0].name);
  const claims = spec.volumes.map(
    (volume: KubernetesObject) => volume.persistentVolumeClaim?.claimName ?? volume.configMap?.name,
  );
  assert.deepEqual(claims, [
    all.get("ConfigMap").metadata.name,
    all.get("PersistentVolumeClaim").metadata.name,
    undefined,
  ]);

  const image = readDockerfile(readFileSync(join(deploy, "docker", "Dockerfile"), "utf8")).at(-1)!;
  assert.equal(`${spec.securityContext.runAsUser}:${spec.securityContext.runAsGroup}`, lastOf(image, "USER"));
  assert.equal(String(container.ports[0].containerPort), lastOf(image, "EXPOSE"));
  const mounts = container.volumeMounts.map(({ mountPath }: KubernetesObject) => mountPath);
  assert.deepEqual(mounts, ["/etc/mcp-gateway", lastOf(image, "VOLUME"), "/tmp"]);
  assert.ok(
    container.args.join(" ").startsWith("serve --config /etc/mcp-gateway/gateway.yaml --host 0.0.0.0 --port 39400"),
  );
  assert.ok(!container.volumeMounts.some((mount: KubernetesObject) => "subPath" in mount), "a subPath sees no change");
});

test("Helm chart: probes ask what the gateway answers, and the rights are few", () => {
  const { spec } = rendered().get("Deployment").spec.template;
  const [container] = spec.containers;
  assert.deepEqual(container.readinessProbe.httpGet, { path: "/readiness", port: "http" });
  assert.deepEqual(container.livenessProbe.httpGet, { path: "/liveness", port: "http" });
  assert.equal(spec.securityContext.runAsNonRoot, true);
  assert.deepEqual(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
  assert.equal(spec.automountServiceAccountToken, false);
  // A Service called mcp-gateway would set MCP_GATEWAY_PORT to an address.
  assert.equal(spec.enableServiceLinks, false);
});

for (const [name, over] of Object.entries(variants)) {
  test(`Helm chart: the gateway takes the configuration and the variables of "${name}"`, async (t) => {
    const all = rendered(over);
    const place = mkdtempSync(join(tmpdir(), "gateway-chart-"));
    t.after(() => rmSync(place, { recursive: true, force: true }));
    const path = join(place, "gateway.yaml");
    writeFileSync(path, `config: {strict: true}\n${all.get("ConfigMap").data["gateway.yaml"]}`);
    const { env } = all.get("Deployment").spec.template.spec.containers[0];
    const given = Object.fromEntries(env.map(({ name, value = "from the secret" }: KubernetesObject) => [name, value]));
    const { config } = await loadConfig({ path, overrides: [], env: given, cwd: place, fallBack: false });
    assert.deepEqual([config.auth.enabled, config.auth.bearer_token], [true, "from the secret"]);
    const hosts = [
      "team-mcp-gateway",
      "team-mcp-gateway.ai",
      "team-mcp-gateway.ai.svc",
      "team-mcp-gateway.ai.svc.cluster.local",
    ];
    assert.deepEqual(config.server.allowed_hosts, [...hosts, ...((over["allowedHosts"] as string[]) ?? [])]);
  });
}

test("Helm chart: values reach their place", () => {
  const all = rendered(variants["everything"]);
  assert.ok(!all.has("PersistentVolumeClaim"));
  const { spec, metadata } = all.get("Deployment").spec.template;
  const [container] = spec.containers;
  assert.equal(container.image, "registry.example/gateway:1.2.3");
  assert.deepEqual(container.env.at(-1), { name: "DOCS", value: "x" });
  assert.deepEqual(container.envFrom, [{ secretRef: { name: "more" } }]);
  assert.equal(spec.volumes[1].persistentVolumeClaim.claimName, "mine");
  assert.deepEqual(metadata.annotations, { "example.com/a": "b" });
  assert.deepEqual(
    [spec.nodeSelector, spec.tolerations, spec.affinity],
    [{ disk: "fast" }, [{ key: "a", operator: "Exists" }], { podAntiAffinity: {} }],
  );
  assert.deepEqual(rendered(variants["no state"]).get("Deployment").spec.template.spec.volumes[1], {
    name: "state",
    emptyDir: {},
  });
  assert.equal(rendered(variants["own class"]).get("PersistentVolumeClaim").spec.storageClassName, "fast");
  assert.equal(rendered({}, "mcp-gateway").get("Service").metadata.name, "mcp-gateway");
});

test("Helm chart: only pods that share their state are several, and then none has the volume", () => {
  const [one, three] = [rendered({ replicas: 3 }), rendered(variants["several pods"])];
  assert.equal(one.get("Deployment").spec.replicas, 1);
  assert.deepEqual(one.get("Deployment").spec.strategy, { type: "Recreate" });
  assert.equal(three.get("Deployment").spec.replicas, 3);
  assert.equal(three.get("Deployment").spec.strategy, undefined);
  assert.deepEqual(three.get("Deployment").spec.template.spec.volumes[1], { name: "state", emptyDir: {} });
  assert.ok(!three.has("PersistentVolumeClaim"));
});

test("Helm chart: is not installed without a token", () => {
  assert.throws(() => render({}), /tokenSecret\.name must name a Secret/);
  assert.match(
    render({ tokenSecret: { name: "tokens" } }).get("NOTES.txt")!,
    /http:\/\/team-mcp-gateway\.ai\.svc:39400\/mcp/,
  );
});
