/** Arguments to command, nothing else: every start pays for what is imported here. */
import { runCommandLine } from "./commands/command-line.ts";
import { version } from "./core/version.ts";
import { environmentVariable, programArguments, setExitCode } from "./runtime/process.ts";

const argv = programArguments();
// Our own binary as the warden of the children, where there is no shell to be one; see runtime/warden.ts.
if (environmentVariable("MCP_GATEWAY_WARDEN") === "1") (await import("./runtime/warden.ts")).runWarden();
else if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) console.log(version);
else setExitCode(await runCommandLine(argv));
