const pollMs = 5000;
const status = document.querySelector("#status");
const facts = document.querySelector("#facts");
document.querySelector("#endpoint").textContent = new URL("/mcp", location.href).href;

function show(state, text, rows = []) {
  status.dataset.state = state;
  status.textContent = text;
  facts.replaceChildren(
    ...rows.flatMap(([name, value]) => {
      const term = document.createElement("dt");
      const detail = document.createElement("dd");
      term.textContent = name;
      detail.textContent = String(value);
      return [term, detail];
    }),
  );
}

async function look() {
  try {
    const health = await (await fetch("/health", { signal: AbortSignal.timeout(pollMs) })).json();
    const isHealthy = health.status === "healthy";
    const rows = [["Version", health.version]];
    if (typeof health.backends?.count === "number") rows.push(["Servers", health.backends.count]);
    show(isHealthy ? "good" : "bad", isHealthy ? "Running and healthy" : `Running, but ${health.status}`, rows);
  } catch {
    show("bad", "The gateway does not answer");
  }
  setTimeout(look, pollMs);
}

look();
