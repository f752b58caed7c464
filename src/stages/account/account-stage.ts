/**
 * Keeps the login of whoever runs the gateway to them: a server that let it in by OAuth acts as that person, which
 * callers with keys of their own are not. `shared_account` of the backend, or `auth.single_user`, says otherwise.
 */
import type { Call, Stage } from "../../core/call.ts";
import { DeniedError } from "../../core/errors.ts";

/**
 * @param isPersonal whether the call would be made with a login; asked for every one
 * @returns `undefined` where one person has all the keys, or the account is for all
 */
export function accountStage(isPersonal: ((call: Call) => boolean) | undefined): Stage | undefined {
  if (isPersonal === undefined) return undefined;
  return (call, next) => {
    if (call.caller.admin || !isPersonal(call)) return next(call);
    return Promise.reject(
      new DeniedError("FORBIDDEN", `Server "${call.upstream}" is used with the login of the gateway's owner`, {
        hint: `An operator can allow it with backends.${call.upstream}.oauth.shared_account, or auth.single_user`,
        data: { server: call.upstream },
      }),
    );
  };
}
