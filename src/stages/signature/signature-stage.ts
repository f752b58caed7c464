/**
 * Signs results, so that a client which has the key sees that nothing on the way changed them, and that they answer the
 * very call it made: the nonce of the call is in what is signed. Calls that repeat a nonce are refused.
 */
import type { Answer } from "../../core/answer.ts";
import type { Call, Next, Nonce, Stage } from "../../core/call.ts";
import { DeniedError, GatewayError } from "../../core/errors.ts";
import { isFinal, type ResultSignature, signatureKey, signedText } from "../../core/signed-result.ts";
import { toolName } from "../tool-name.ts";
import type { NonceState } from "./nonce-book.ts";
import type { MessageSigningSettings } from "./schema.ts";

const maxNonceCharacters = 128;

export interface Signer {
  /** For `windowMs` the nonce belongs to the request that is first, and to its calls. */
  claim(principal: string, nonce: Nonce, windowMs: number): Promise<NonceState>;
  /** Nothing was signed with it: the request that goes on with this one brings it again. */
  release(principal: string, nonce: Nonce): Promise<void>;
  /** HMAC-SHA-256, in hexadecimal. */
  hmac(key: string, text: string): string;
  /** For answers to calls that have none. */
  newNonce(): string;
  /** Calendar milliseconds. */
  now(): number;
}

export function signatureStage(settings: MessageSigningSettings, signer: Signer | undefined): Stage | undefined {
  if (!settings.enabled || signer === undefined) return undefined;
  const { shared_secret, previous_secret, require_nonce, key_id } = settings;
  const windowMs = settings.replay_window * 1_000;
  const { hmac, release, newNonce, now } = signer;
  const claimed = signer.claim;

  async function claim({ caller: { principal } }: Call, nonce: Nonce): Promise<void> {
    if (nonce.text === "" || nonce.text.length > maxNonceCharacters)
      throw new GatewayError("INVALID_PARAMS", `A nonce has 1 to ${maxNonceCharacters} characters`);
    const state = await claimed(principal, nonce, windowMs);
    if (state === "seen")
      throw new DeniedError("NONCE_REFUSED", "The nonce of the call was used before", {
        hint: "Use a new nonce, such as a random UUID, for every call",
      });
    if (state === "full")
      throw new DeniedError("OVERLOADED", "There were too many calls with a nonce to remember one more", {
        hint: `Nonces are forgotten after security.message_signing.replay_window, ${settings.replay_window} s`,
      });
  }

  function signed({ upstream: server }: Call, tool: string, nonce: string, answer: Answer): Answer {
    const facts = { server, tool, nonce, ts: Math.floor(now() / 1_000), key_id };
    const text = signedText(facts, answer.exactValue);
    const signature: ResultSignature = {
      alg: "HS256",
      key_id,
      ts: facts.ts,
      nonce,
      sig: hmac(shared_secret, text),
      ...(previous_secret !== "" && { previous_sig: hmac(previous_secret, text) }),
    };
    return answer.withMeta({ [signatureKey]: { ...signature } });
  }

  async function run(call: Call, next: Next, tool: string): ReturnType<Next> {
    const { nonce, caller } = call;
    if (nonce !== undefined) await claim(call, nonce);
    else if (require_nonce)
      throw new DeniedError("NONCE_REFUSED", "The call has no nonce, and security.message_signing asks for one", {
        hint: 'Give a new text for every call: "nonce" beside "arguments" of gateway_invoke, or "mcp-gateway/nonce" in "_meta" of the request',
      });
    const answer = await next(call);
    if (isFinal(answer)) return signed(call, tool, nonce?.text ?? newNonce(), answer);
    if (nonce !== undefined) await release(caller.principal, nonce);
    return answer;
  }

  return (call, next) => {
    const tool = toolName(call);
    return tool === undefined ? next(call) : run(call, next, tool);
  };
}
