/** The text format of Prometheus, version 0.0.4: families with help and type, label values escaped. */
import { latencyBoundsMs } from "../lib/histogram.ts";

export const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string>>;

export class PrometheusText {
  #text = "";

  /** Begins a family: every sample until the next one belongs to it. */
  family(name: string, type: "counter" | "gauge" | "histogram" | "summary", help: string): void {
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }

  sample(name: string, labels: Labels, value: number): void {
    this.#text += `${name}${labelText(labels)} ${value}\n`;
  }

  /** One histogram of a family; counts in milliseconds become seconds. @param counts as in {@link latencyBoundsMs} */
  histogram(name: string, labels: Labels, counts: readonly number[], sumMs: number): void {
    let total = 0;
    for (const [at, bound] of latencyBoundsMs.entries()) {
      total += counts[at] as number;
      this.sample(`${name}_bucket`, { ...labels, le: String(bound / 1_000) }, total);
    }
    total += counts.at(-1) as number;
    this.sample(`${name}_bucket`, { ...labels, le: "+Inf" }, total);
    this.sample(`${name}_sum`, labels, sumMs / 1_000);
    this.sample(`${name}_count`, labels, total);
  }

  toString(): string {
    return this.#text;
  }
}

function labelText(labels: Labels): string {
  const entries = Object.entries(labels);
  if (entries.length === 0) return "";
  return `{${entries.map(([name, value]) => `${name}="${escaped(value)}"`).join(",")}}`;
}

/** A tool's name is the server's own: it must not end the line or the value. */
function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (found) => (found === "\n" ? "\\n" : `\\${found}`));
}
