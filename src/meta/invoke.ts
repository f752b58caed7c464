import { Answer } from "../core/answer.ts";
import { UpstreamRpcError } from "../core/errors.ts";
import { isJsonObject, type JsonObject, readableJson } from "../lib/json.ts";
import { invalid, readObject, readString } from "./arguments.ts";
import { findTarget, knownTarget, type Target } from "./find-target.ts";
import type { MetaContext, MetaTool } from "./meta-tool.ts";
import { signature } from "./signature.ts";

const invalidParams = -32_602;

/** Own arguments of this tool, those of features that read them elsewhere included. */
const ownArguments = new Set("server backend tool arguments args idempotency_key nonce attestation _meta".split(" "));

export const invoke: MetaTool = {
  name: "gateway_invoke",
  carriesResults: true,
  describe: () => ({
    name: "gateway_invoke",
    description: "Run a tool found by gateway_search_tools and get its own result.",
    inputSchema: {
      type: "object",
      properties: {
        server: { type: "string" },
        tool: { type: "string" },
        arguments: { type: "object", description: "Fit the tool's input schema" },
      },
      required: ["server", "tool"],
    },
    annotations: {
      title: "Run a tool",
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: false,
      openWorldHint: true,
    },
  }),

  run(args, context) {
    try {
      const known = knownTarget(args, context);
      if (known !== undefined) return call(known, args, context);
    } catch (error) {
      return Promise.reject(error);
    }
    return findTarget(args, context).then((found) => call(found, args, context));
  },
};

function call(target: Target, args: JsonObject, context: MetaContext): Promise<Answer> {
  const { toolArgs, claim } = withoutClaim(readArguments(args), target, context);
  const options = {
    idempotencyKey: readString(args, "idempotency_key"),
    nonce: readString(args, "nonce"),
    meta: args["_meta"] === undefined ? undefined : readObject(args, "_meta"),
    claim,
    namesNext: true,
  };
  return context
    .callTool(target.server, target.tool, toolArgs, options)
    .then(context.resultFormat === "native" ? undefined : wrapped, (error: unknown) => {
      throw withHelp(error, target, context);
    });
}

const claimKey = "_claim";

/**
 * What the model says the call is for is told the gateway and no server, whether it is captured or not; where the tool has
 * a parameter of that name, it is for the tool.
 */
function withoutClaim(args: JsonObject, { server, tool }: Target, { catalog }: MetaContext) {
  const { [claimKey]: claim } = args;
  if (claim === undefined || hasParameter(catalog.tool(server, tool), claimKey)) return { toolArgs: args };
  const { [claimKey]: _claim, ...toolArgs } = args;
  return { toolArgs: toolArgs as JsonObject, claim };
}

function hasParameter(definition: JsonObject | undefined, name: string): boolean {
  const schema = definition?.["inputSchema"];
  const properties = isJsonObject(schema) ? schema["properties"] : undefined;
  return isJsonObject(properties) && Object.hasOwn(properties, name);
}

/** A model that got the arguments wrong most often never saw the schema. */
function withHelp(error: unknown, { server, tool }: Target, { catalog }: MetaContext): unknown {
  if (!(error instanceof UpstreamRpcError) || error.rpc.code !== invalidParams) return error;
  const parameters = signature(catalog.tool(server, tool)?.["inputSchema"]);
  return parameters === undefined ? error : new UpstreamRpcError(error.rpc, server, `Its arguments: ${parameters}`);
}

function readArguments(args: JsonObject): JsonObject {
  if (args["arguments"] === undefined && args["args"] === undefined) {
    const stray = Object.keys(args).filter((name) => !ownArguments.has(name));
    if (stray.length > 0)
      throw invalid(
        `Argument "${stray[0]}" is not one of gateway_invoke`,
        `Put the tool's own arguments into "arguments": {"arguments": {"${stray[0]}": …}}`,
      );
  }
  return readObject(args, "arguments", "args");
}

/** The older form: the whole result as JSON in one text block. That the tool failed still shows. */
function wrapped(answer: Answer): Answer {
  const content = [{ type: "text", text: readableJson(answer.exactValue) }];
  return Answer.of({ content, isError: answer.value["isError"] === true });
}
