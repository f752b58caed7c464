/** `node deploy/with-bun.mjs [--built] SCRIPT ARGS…`: runs a script of this project under its own Bun, installing first and, if asked, building. */
import { ensureBuilt, ensureInstalled, findBun, runInForeground } from "./tools.mjs";

const args = process.argv.slice(2);
const needsBinary = args[0] === "--built";
ensureInstalled();
if (needsBinary) ensureBuilt();
runInForeground(findBun(), needsBinary ? args.slice(1) : args);
