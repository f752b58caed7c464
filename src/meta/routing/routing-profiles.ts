/**
 * Routing profiles: named views of what is behind the gateway, for sessions that need a part of it. A profile only ever
 * takes away, and whatever cannot be made out leaves nothing instead of everything.
 */
import type { Caller, ProfileScope } from "../../core/caller.ts";
import { DeniedError, GatewayError } from "../../core/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { RoutingProfilesSettings } from "./schema.ts";

export class RoutingProfiles {
  readonly defaultName: string;
  readonly #settings: RoutingProfilesSettings;
  readonly #isEmpty: boolean;
  /** Lists are remembered by caller, so equal ones must be one. */
  readonly #narrowed = new WeakMap<Caller, Map<string, Caller>>();

  constructor(settings: RoutingProfilesSettings, defaultName: string) {
    this.#settings = settings;
    this.#isEmpty = Object.keys(settings).length === 0;
    this.defaultName = defaultName;
  }

  get names(): string[] {
    return Object.keys(this.#settings);
  }

  /** The default one need not be defined: it then leaves everything. */
  has(name: string): boolean {
    return name === this.defaultName || Object.hasOwn(this.#settings, name);
  }

  /** The profile a session of this caller has when it was given `chosen`. */
  nameFor(caller: Caller, chosen: string | undefined): string {
    const { boundProfile, admin } = caller;
    return (admin ? (chosen ?? boundProfile) : (boundProfile ?? chosen)) ?? this.defaultName;
  }

  /** The caller as far as the profile lets it. */
  narrow(caller: Caller, chosen: string | undefined): Caller {
    if (this.#isEmpty && chosen === undefined && caller.boundProfile === undefined) return caller;
    const name = this.nameFor(caller, chosen);
    let byName = this.#narrowed.get(caller);
    if (byName === undefined) {
      byName = new Map();
      this.#narrowed.set(caller, byName);
    }
    let narrowed = byName.get(name);
    if (narrowed === undefined) {
      const profile = this.#scopeOf(name);
      narrowed = profile === undefined ? caller : { ...caller, profile };
      byName.set(name, narrowed);
    }
    return narrowed;
  }

  /**
   * What a client asked for, checked: a misspelt name must not leave more than the right one.
   * @throws GatewayError INVALID_PARAMS, FORBIDDEN
   */
  choose(caller: Caller, wanted: string | undefined): string | undefined {
    if (wanted === undefined) return undefined;
    const { boundProfile, admin } = caller;
    if (boundProfile !== undefined && !admin && wanted !== boundProfile)
      throw new DeniedError("FORBIDDEN", `Key "${caller.name}" is bound to the routing profile "${boundProfile}"`);
    if (this.has(wanted)) return wanted;
    const names = [...new Set([...this.names, this.defaultName])];
    throw new GatewayError("INVALID_PARAMS", `There is no routing profile "${wanted}"`, {
      hint: `Profiles: ${names.join(", ")}`,
    });
  }

  /** For admins with its filters, which name what others may not know of. */
  describe(name: string, { admin }: Caller): JsonObject {
    const settings = this.#own(name);
    const description = settings?.description ?? "";
    if (!admin) return { name, description };
    return {
      name,
      description,
      backend_filter: describeFilter(settings?.allow_backends, settings?.deny_backends),
      tool_filter: describeFilter(settings?.allow_tools, settings?.deny_tools),
    };
  }

  #own(name: string): RoutingProfilesSettings[string] | undefined {
    return Object.hasOwn(this.#settings, name) ? this.#settings[name] : undefined;
  }

  #scopeOf(name: string): ProfileScope | undefined {
    const settings = this.#own(name);
    if (settings !== undefined)
      return {
        name,
        allowBackends: settings.allow_backends,
        denyBackends: settings.deny_backends,
        allowTools: settings.allow_tools,
        denyTools: settings.deny_tools,
      };
    if (name === this.defaultName) return undefined;
    // It was there when the session chose it.
    return { name, allowBackends: [], denyBackends: undefined, allowTools: [], denyTools: undefined };
  }
}

function describeFilter(allow: readonly string[] | undefined, deny: readonly string[] | undefined): string {
  const parts = [allow === undefined ? "all" : `only ${allow.join(", ") || "none"}`];
  if (deny !== undefined && deny.length > 0) parts.push(`without ${deny.join(", ")}`);
  return parts.join(", ");
}
