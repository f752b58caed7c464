import * as v from "valibot";
import { globs, secret, setting } from "../../core/kinds.ts";

const name = v.pipe(v.string(), v.minLength(1));

export const injectedSecretSchema = v.object({
  name: v.pipe(name, v.description("What it is called in errors")),
  credential_type: setting(
    v.picklist(["api_key", "bearer", "basic_auth", "custom"]),
    "api_key",
    "How a header has it: `bearer` after the word Bearer, `basic_auth` (`user:password`) in base64 after Basic, else as it is",
  ),
  value: v.pipe(
    secret,
    v.description(
      "The secret: `env:VAR`, or a text with `{env.VAR}` or `{keychain.NAME}` in it. Neither model nor client ever sees it",
    ),
  ),
  inject_as: setting(
    v.picklist(["argument", "header", "query"]),
    "argument",
    "Where it goes: an argument of the tool, a header or a parameter of the address; the latter two with `http_url` only",
  ),
  inject_key: v.pipe(
    name,
    v.description(
      "Name of the argument, which the tool's schema then no longer shows, of the header or of the parameter",
    ),
  ),
  tools: setting(
    globs,
    ["*"],
    "Tools it is for, as globs. With `*`, headers and parameters go along with every request to the server",
  ),
});
export type InjectedSecret = v.InferOutput<typeof injectedSecretSchema>;
