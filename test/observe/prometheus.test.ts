import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram, latencyBoundsMs } from "../../src/lib/histogram.ts";
import { PrometheusText } from "../../src/observe/prometheus.ts";

test("PrometheusText: a tool's name cannot end its label or its line", () => {
  const text = new PrometheusText();
  text.family("calls_total", "counter", "Calls");
  text.sample("calls_total", { tool: 'a"} 1\nevil_total 9 \\' }, 3);
  assert.equal(
    text.toString(),
    '# HELP calls_total Calls\n# TYPE calls_total counter\ncalls_total{tool="a\\"} 1\\nevil_total 9 \\\\"} 3\n',
  );
});

test("PrometheusText: buckets are cumulative, in seconds, and end with all of them", () => {
  const histogram = new Histogram();
  for (const ms of [0.5, 3, 3, 400_000]) histogram.add(ms);
  const text = new PrometheusText();
  text.histogram("time_seconds", { server: "a" }, histogram.counts, histogram.sum);
  const lines = text.toString().trimEnd().split("\n");
  assert.equal(lines.length, latencyBoundsMs.length + 3);
  assert.equal(lines[0], 'time_seconds_bucket{server="a",le="0.0005"} 1');
  assert.ok(lines.includes('time_seconds_bucket{server="a",le="0.003"} 3'));
  assert.deepEqual(lines.slice(-4), [
    'time_seconds_bucket{server="a",le="300"} 3',
    'time_seconds_bucket{server="a",le="+Inf"} 4',
    'time_seconds_sum{server="a"} 400.0065',
    'time_seconds_count{server="a"} 4',
  ]);
});
