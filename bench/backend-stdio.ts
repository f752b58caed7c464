/** The raw backend over stdin and stdout: one line in, one line out, many lines at a time where they come together. */
import { answer } from "./backend-answers.ts";

let rest = "";
process.stdin.setEncoding("utf8").on("data", (chunk) => {
  rest += chunk;
  let out = "";
  let from = 0;
  for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n", from)) {
    const text = answer(rest.slice(from, end));
    if (text !== undefined) out += `${text}\n`;
    from = end + 1;
  }
  rest = rest.slice(from);
  if (out !== "") process.stdout.write(out);
});
process.stdin.on("end", () => process.exit(0));
