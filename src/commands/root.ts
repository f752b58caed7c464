/** The table of commands. */
import { add } from "./add.ts";
import { audit } from "./audit.ts";
import { auth } from "./auth.ts";
import { cap } from "./cap.ts";
import type { Command } from "./command.ts";
import { completions } from "./completions.ts";
import { config } from "./config.ts";
import { doctor } from "./doctor.ts";
import { get } from "./get.ts";
import { health } from "./health.ts";
import { identity } from "./identity.ts";
import { importDrafts } from "./import.ts";
import { init } from "./init.ts";
import { list } from "./list.ts";
import { quarantine } from "./quarantine.ts";
import { remove } from "./remove.ts";
import { serve } from "./serve.ts";
import { serveRoot } from "./serve-root.ts";
import { setup } from "./setup.ts";
import { skills } from "./skills.ts";
import { stats } from "./stats.ts";
import { tls } from "./tls.ts";
import { tokens } from "./tokens.ts";
import { tool } from "./tool.ts";
import { trust } from "./trust.ts";
import { upgrade } from "./upgrade.ts";
import { validate } from "./validate.ts";

/** Without a command it is `serve`. */
export const root: Command = {
  ...serveRoot,
  subCommands: {
    serve,
    init,
    add,
    remove,
    list,
    get,
    auth,
    tls,
    validate,
    cap,
    import: importDrafts,
    tool,
    skills,
    setup,
    doctor,
    health,
    stats,
    tokens,
    quarantine,
    identity,
    trust,
    audit,
    config,
    completions,
    upgrade,
  },
};
